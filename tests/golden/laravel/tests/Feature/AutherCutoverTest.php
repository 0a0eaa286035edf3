<?php

namespace Tests\Feature;

use App\AutherCutover\Answers;
use App\AutherCutover\Base64Url;
use App\AutherCutover\AutherGuard;
use App\AutherCutover\DecisionTable;
use App\AutherCutover\Finding;
use App\AutherCutover\Person;
use App\AutherCutover\StageView;
use App\AutherCutover\Refused;
use App\AutherCutover\TokenVerifier;
use App\AutherCutover\Unavailable;
use Illuminate\Auth\GenericUser;
use Illuminate\Auth\SessionGuard;
use Illuminate\Support\Facades\Auth;
use Illuminate\Support\Facades\File;
use Illuminate\Support\Facades\Http;
use Illuminate\Support\Facades\Route;
use Tests\TestCase;

/** The decisions that must never change. Needs no database and no Auther. */
class AutherCutoverTest extends TestCase
{
    private string $folder;
    private string $key;
    private int $jwksStatus = 200;

    protected function setUp(): void
    {
        parent::setUp();
        $this->folder = sys_get_temp_dir().'/auther-cutover-'.bin2hex(random_bytes(6));
        $pair = sodium_crypto_sign_keypair();
        $this->key = sodium_crypto_sign_secretkey($pair);
        config([
            'session.driver' => 'array',
            'auther_cutover.state_folder' => $this->folder,
            'auther_cutover.log' => '/dev/null',
            'auther_cutover.stage_file' => '',
            'auther_cutover.stage_cache' => "{$this->folder}/stage.json",
            'auther_cutover.baked_stage' => 'dual',
        ]);
        $this->app->forgetInstance(\App\AutherCutover\Settings::class);
        $jwk = ['kty' => 'OKP', 'crv' => 'Ed25519', 'kid' => 'k', 'x' => Base64Url::encode(sodium_crypto_sign_publickey($pair))];
        Http::fake([config('auther_cutover.jwks_url') => fn () => Http::response(['keys' => [$jwk]], $this->jwksStatus)]);
        Route::middleware('web')->any('/auther-test', fn () => ['user' => auth()->id()]);
    }

    protected function tearDown(): void
    {
        File::deleteDirectory($this->folder);
        parent::tearDown();
    }

    private function token(array $claims = [], array $header = []): string
    {
        $claims += [
            'iss' => config('auther_cutover.issuers')[0], 'aud' => config('auther_cutover.audiences')[0], 'sub' => 'alice',
            // In milliseconds, as Auther writes it.
            'iat' => time() * 1000, 'exp' => time() + 600,
        ];
        $parts = array_map(fn ($part) => Base64Url::encode(json_encode($part)), [$header + ['alg' => 'EdDSA', 'kid' => 'k'], $claims]);
        $signed = implode('.', $parts);

        return $signed.'.'.Base64Url::encode(sodium_crypto_sign_detached($signed, $this->key));
    }

    private function reasonAgainst(string $token): string
    {
        try {
            app(TokenVerifier::class)->verify($token);

            return '';
        } catch (Refused $refused) {
            return $refused->reason;
        }
    }

    public function test_a_good_token_gives_its_claims(): void
    {
        $this->assertSame('alice', app(TokenVerifier::class)->verify($this->token())['sub']);
        $this->assertSame('', $this->reasonAgainst($this->token(['aud' => ['else', config('auther_cutover.audiences')[0]]])));
    }

    /** @dataProvider spoilt */
    public function test_a_spoilt_token_is_refused(string $reason, array $claims, array $header = []): void
    {
        $this->assertSame($reason, $this->reasonAgainst($this->token($claims, $header)));
    }

    public function spoilt(): array
    {
        return [
            'none' => ['algorithm', [], ['alg' => 'none']],
            'HS256' => ['algorithm', [], ['alg' => 'HS256']],
            'crit' => ['malformed', [], ['crit' => ['x']]],
            'jwk' => ['malformed', [], ['jwk' => []]],
            'no kid' => ['malformed', [], ['kid' => null]],
            'expired' => ['expired', ['exp' => 1]],
            'exp in milliseconds' => ['missing_claim', ['exp' => (time() + 600) * 1000]],
            'no sub' => ['missing_claim', ['sub' => null]],
            'sub with a line break' => ['missing_claim', ['sub' => "alice\n"]],
            'other issuer' => ['issuer', ['iss' => 'https://evil.example']],
            'other audience' => ['audience', ['aud' => ['else']]],
            'audience that only begins alike' => ['audience', ['aud' => 'x']],
            'not yet' => ['not_yet_valid', ['nbf' => time() + 3600]],
        ];
    }

    public function test_a_token_cannot_be_respelt(): void
    {
        $token = $this->token();
        [$header, $claims, $signature] = explode('.', $token);
        foreach (["$token=", "$header.$claims.$signature ", "$header.$claims", strtr($token, ['.' => '..'])] as $other) {
            $this->assertSame('malformed', $this->reasonAgainst($other));
        }
        $flipped = $signature;
        $flipped[5] = $flipped[5] === 'A' ? 'B' : 'A';
        $this->assertSame('signature', $this->reasonAgainst("$header.$claims.$flipped"));
    }

    public function test_without_keys_nobody_can_tell(): void
    {
        $this->jwksStatus = 500;
        $this->expectException(Unavailable::class);
        app(TokenVerifier::class)->verify($this->token());
    }

    public function test_unknown_keys_are_asked_for_once(): void
    {
        app(TokenVerifier::class)->verify($this->token());
        foreach (['a', 'b', 'c'] as $kid) {
            try {
                app(TokenVerifier::class)->verify($this->token([], ['kid' => $kid]));
                $this->fail('a key that nobody has published');
            } catch (Unavailable $outage) {
                $this->assertGreaterThan(0, $outage->retryAfterS);
            }
        }
        Http::assertSentCount(1);
    }

    public function test_a_bad_header_is_refused(): void
    {
        $bearers = ['x' => 'foreign_bearer', $this->token(['exp' => 1]) => 'invalid_token'];
        foreach ($bearers as $bearer => $error) {
            $answer = $this->getJson('/auther-test', ['Authorization' => "Bearer $bearer"]);
            $answer->assertStatus(401)->assertExactJson(['error' => $error])->assertHeader('WWW-Authenticate');
        }
        $doubled = $this->getJson('/auther-test', ['Authorization' => 'Basic eDp5, Bearer x']);
        $doubled->assertStatus(401);
    }

    public function test_nobody_is_nobody(): void
    {
        $this->getJson('/auther-test', ['X-User' => '1'])->assertOk()->assertExactJson(['user' => null]);
        $this->getJson('/auther-test', ['Authorization' => 'Basic eDp5'])->assertOk();
        $this->getJson('/auther-test?access_token='.$this->token())->assertExactJson(['user' => null]);
    }

    public function test_a_login_begins_with_pkce_and_ends_at_this_site(): void
    {
        $answer = $this->get('/auth/auther/start?return_to=//evil.example');
        $answer->assertStatus(303);
        $location = $answer->headers->get('Location');
        $this->assertStringStartsWith(config('auther_cutover.authorize_url').'?', $location);
        $this->assertStringContainsString('code_challenge_method=S256', $location);
        $this->get('/auth/auther/start')->assertHeader('Cache-Control');
        foreach (['//evil.example', '/\\evil.example', 'https://evil.example', "/a\nb", "/a\n", '/auth/x', null] as $path) {
            $this->assertSame('/', Answers::safeReturnPath($path, '/'));
        }
        $this->assertSame('/a?b=c', Answers::safeReturnPath('/a?b=c', '/'));
    }

    public function test_a_callback_needs_the_attempt_of_this_browser(): void
    {
        $path = parse_url(config('auther_cutover.redirect_uri'), PHP_URL_PATH);
        $this->get("$path?code=x&state=".str_repeat('a', 43))->assertStatus(400);
    }

    public function test_a_logout_of_another_site_is_refused(): void
    {
        $this->post('/auth/auther/logout', [], ['Origin' => 'https://evil.example'])->assertStatus(403);
        $this->post('/auth/auther/logout', [], ['Sec-Fetch-Site' => 'same-origin'])->assertStatus(303);
    }

    public function test_sessions_of_before_keep_their_name(): void
    {
        $guard = Auth::guard(config('auther_cutover.guard'));
        $plain = new SessionGuard(config('auther_cutover.guard'), $guard->getProvider(), $this->app['session.store']);
        $this->assertInstanceOf(AutherGuard::class, $guard);
        $this->assertSame($plain->getName(), $guard->getName());
        $this->assertSame($plain->getRecallerName(), $guard->getRecallerName());
    }

    public function test_two_people_at_once_are_nobody(): void
    {
        $alice = new GenericUser(['id' => '1']);
        $bob = new GenericUser(['id' => '2']);
        $person = new Person('1', 'alice', 'legacy', false, null, 'active', $alice);
        $decide = fn ($session, $place) => DecisionTable::decide($session, new Finding('valid', $place, '', $person, []), false, false);
        $this->assertSame($alice, $decide($alice, 'cookie')->user);
        $this->assertSame($alice, $decide(null, 'header')->user);
        foreach (['header' => 'auth_conflict', 'cookie' => 'conflict_page'] as $place => $answer) {
            $decision = $decide($bob, $place);
            $this->assertNull($decision->user);
            $this->assertSame($answer, $decision->answer);
        }
    }

    public function test_a_header_never_falls_through_to_the_session(): void
    {
        $bob = new GenericUser(['id' => '2']);
        foreach (['stale', 'forged', 'disabled', 'unlinked', 'foreign', 'doubled', 'unavailable'] as $kind) {
            $decision = DecisionTable::decide($bob, new Finding($kind, 'header', 'x'), false, false);
            $this->assertNull($decision->user, $kind);
            $this->assertNotSame('pass', $decision->answer, $kind);
        }
    }

    public function test_auther_decides_alone_in_the_end(): void
    {
        $decision = DecisionTable::decide(true, new Finding('absent'), true, false);
        $this->assertSame(['legacy_ended', true, null], [$decision->answer, $decision->forgetsLegacy, $decision->user]);
    }

    public function test_buckets_are_those_of_the_switch(): void
    {
        // Of another implementation: int.from_bytes(sha256(b"5a17" + key).digest()[:8]) % 100000.
        foreach (['alice' => 45327, 'bob' => 51377, 'carol' => 2108] as $key => $bucket) {
            $this->assertSame($bucket, StageView::bucket('5a17', $key));
        }
    }

    public function test_a_route_without_the_middleware_sees_nobody(): void
    {
        Route::middleware([\Illuminate\Session\Middleware\StartSession::class])->get('/auther-open', fn () => ['user' => auth()->id()]);
        $session = [Auth::guard(config('auther_cutover.guard'))->getName() => 1];
        $this->withSession($session)->getJson('/auther-open')->assertExactJson(['user' => null]);
    }
}
