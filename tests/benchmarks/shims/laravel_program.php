<?php

// The Laravel target's in-process benchmark; `bench_shim` runs it beside a freshly generated folder. PHP keeps nothing from
// one request to the next, so each request builds the shim's objects anew; reading its files is opcache's business and is not
// in the figures. Debian packs no library for JWT: the bare side is what such a library does at least.

declare(strict_types=1);

use App\AutherCutover\AccountState;
use App\AutherCutover\AutherCutoverServiceProvider;
use App\AutherCutover\Base64Url;
use App\AutherCutover\DecideWho;
use App\AutherCutover\Settings;
use App\AutherCutover\SharedMemory;
use App\AutherCutover\StateFolder;
use Illuminate\Auth\AuthServiceProvider;
use Illuminate\Auth\GenericUser;
use Illuminate\Auth\SessionGuard;
use Illuminate\Config\Repository;
use Illuminate\Container\Container;
use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Contracts\Auth\UserProvider;
use Illuminate\Cookie\CookieServiceProvider;
use Illuminate\Filesystem\Filesystem;
use Illuminate\Foundation\Application;
use Illuminate\Http\Request;
use Illuminate\Http\Response;
use Illuminate\Session\ArraySessionHandler;
use Illuminate\Session\Store;
use Illuminate\Support\Facades\Auth;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Facade;
use Illuminate\Support\Facades\Http;

require 'Illuminate/autoload.php';
require 'GuzzleHttp/autoload.php';
spl_autoload_register(function (string $class) {
    str_starts_with($class, 'App\\') && require getcwd().'/app/'.strtr(substr($class, 4), '\\', '/').'.php';
});

const PAIRS = 1500;
const CACHE = 10_000;

/** The lookup of both sides: the same constants. */
class Lookup
{
    public function selectOne(): object
    {
        return (object) ['user_pk' => '7', 'home' => 'legacy', 'pinned' => false, 'valid_after_s' => null, 'buried' => false];
    }
}

class Members implements UserProvider
{
    public function __construct(private readonly Authenticatable $user)
    {
    }

    public function retrieveById($identifier)
    {
        return $this->user;
    }

    public function retrieveByToken($identifier, $token)
    {
        return null;
    }

    public function updateRememberToken(Authenticatable $user, $token)
    {
    }

    public function retrieveByCredentials(array $credentials)
    {
        return null;
    }

    public function validateCredentials(Authenticatable $user, array $credentials)
    {
        return false;
    }
}

$folder = getcwd();
$app = new Application($folder);
Facade::setFacadeApplication($app);
$app->instance('config', new Repository([
    'app' => ['key' => str_repeat('k', 32), 'cipher' => 'AES-256-CBC'],
    'auth' => [
        'defaults' => ['guard' => 'web'],
        'guards' => ['web' => ['driver' => 'auther', 'provider' => 'users']],
        'providers' => ['users' => ['driver' => 'members']],
    ],
    'database' => ['default' => 'pgsql', 'connections' => ['pgsql' => []]],
    'session' => ['driver' => 'file', 'path' => '/', 'domain' => null, 'secure' => false],
    // Each decision's line is written, and goes nowhere: how fast a disk is, is not the shim's.
    'auther_cutover' => ['log' => '/dev/null', 'state_folder' => "$folder/state", 'stage_cache' => "$folder/kept.json", 'middleware' => []]
        + require "$folder/config/auther_cutover.php",
]));
$app->instance('request', Request::create('/'));
$app->instance('files', new Filesystem());
array_map([$app, 'register'], [AuthServiceProvider::class, CookieServiceProvider::class, AutherCutoverServiceProvider::class]);
$session = new Store('laravel_session', new ArraySessionHandler(10));
$session->start();
$app->instance('session.store', $session);
$app->boot();
DB::swap(new Lookup());
$user = new GenericUser(['id' => '7']);
Auth::provider('members', fn () => new Members($user));
$pair = sodium_crypto_sign_keypair();
$public = sodium_crypto_sign_publickey($pair);
$jwk = ['kty' => 'OKP', 'crv' => 'Ed25519', 'kid' => 'k1', 'x' => Base64Url::encode($public)];
Http::fake(['*' => Http::response(['keys' => [$jwk]])]);

$token = function (int $number) use ($pair): string {
    $claims = [
        'iss' => config('auther_cutover.issuers')[0], 'aud' => config('auther_cutover.audiences')[0],
        'sub' => str_repeat('u', 32), 'iat' => time(), 'exp' => time() + 172_800,
        'nonce' => str_pad((string) $number, 43, '0', STR_PAD_LEFT), 'acr' => 'urn:mace:incommon:iap:silver',
        'name' => 'Alice Example', 'given_name' => 'Alice', 'family_name' => 'Example', 'email' => 'alice@example.org',
        'email_verified' => true,
    ];
    $signed = implode('.', array_map(fn ($part) => Base64Url::encode(json_encode($part)), [['alg' => 'EdDSA', 'kid' => 'k1'], $claims]));

    return $signed.'.'.Base64Url::encode(sodium_crypto_sign_detached($signed, sodium_crypto_sign_secretkey($pair)));
};

/** What any library does: decode, look at the algorithm, verify, look at the claims. */
$verify = function (string $token) use ($public): array {
    [$header, $claims, $signature] = explode('.', $token);
    $read = fn ($part) => base64_decode(strtr($part, '-_', '+/'));
    $isGood = json_decode($read($header), true)['alg'] === 'EdDSA'
        && sodium_crypto_sign_verify_detached($read($signature), "$header.$claims", $public);
    $found = json_decode($read($claims), true);
    if (! $isGood || $found['exp'] < time() || $found['aud'] !== config('auther_cutover.audiences')[0]) {
        throw new RuntimeException('not a good token');
    }

    return $found;
};

$next = fn () => new Response('ok');
$request = function (string $bearer = '') use ($app, $session): Request {
    $headers = ['HTTP_ACCEPT' => 'application/json', 'HTTP_SEC_FETCH_MODE' => 'cors', 'HTTP_COOKIE' => 'theme=dark; consent=1'];
    $made = Request::create('/api/members?page=2', 'GET', [], [], [], $headers + ($bearer ? ['HTTP_AUTHORIZATION' => "Bearer $bearer"] : []));
    $made->setLaravelSession($session);
    // As after the request before, nothing is left: not the guards either, which ask for every later request.
    Closure::bind(fn () => $this->reboundCallbacks = [], $app, Container::class)();
    $app->instance('request', $made);
    $app->forgetScopedInstances();
    array_map([$app, 'forgetInstance'], [Settings::class, StateFolder::class, SharedMemory::class]);
    Auth::forgetGuards();

    return $made;
};
$guarded = function (Request $request) use ($app, $next) {
    $app->make(DecideWho::class)->handle($request, $next);

    return Auth::user()->getAuthIdentifier();
};
$own = function (Request $request) use ($session, $next) {
    $guard = new SessionGuard('web', Auth::createUserProvider('users'), $session, $request);
    $next();

    return $guard->user()->getAuthIdentifier();
};
$lookUp = fn () => [DB::selectOne('', [], false), Auth::createUserProvider('users')->retrieveById('7')];

$timed = function (Closure $make): int {
    $work = $make();
    $began = hrtime(true);
    $work();

    return hrtime(true) - $began;
};
/** Times both, each first in every other pair. */
$paired = function (Closure $bare, Closure $shim) use ($timed): array {
    $found = [];
    for ($number = 0; $number < PAIRS; $number++) {
        [$one, $other] = [fn () => $bare($number), fn () => $shim($number)];
        if ($number % 2) {
            $second = $timed($other);
            $found[] = [$timed($one), $second];
        } else {
            $first = $timed($one);
            $found[] = [$first, $timed($other)];
        }
    }

    return $found;
};
$bearing = function (string $text) use ($request, $guarded) {
    $made = $request($text);

    return fn () => $guarded($made);
};
$signIn = function () use ($session) {
    // What is looked up now and then is in the session already.
    $session->put(['login_web_'.sha1(SessionGuard::class) => '7', 'auther_seen_at' => time(), 'auther_looked_at' => time()]);
};
for ($number = 0; $number < 200; $number++) {
    $bearing($token(-1 - $number))();
}
$fresh = $paired(
    function (int $number) use ($token, $verify, $lookUp, $next) {
        $text = $token($number);

        return fn () => [$verify($text), $lookUp(), $next()];
    },
    fn (int $number) => $bearing($token($number)),
);
$seen = $token(0);
$cached = $paired(fn () => fn () => [$lookUp(), $next()], fn () => $bearing($seen));
$withSession = function (Closure $answer) use ($request, $signIn) {
    $signIn();
    $made = $request();

    return fn () => $answer($made);
};
$legacy = $paired(fn () => $withSession($own), fn () => $withSession($guarded));
$memory = [];
$session->flush();
for ($turn = 1; $turn <= 3; $turn++) {
    for ($number = 0; $number < CACHE; $number++) {
        $bearing($token($turn * 1_000_000 + $number))();
    }
    preg_match('/VmRSS:\s+(\d+)/', file_get_contents('/proc/self/status'), $found);
    $memory[] = (int) $found[1];
}
echo json_encode([
    'library' => 'sodium of PHP '.PHP_VERSION, 'fresh' => $fresh, 'cached' => $cached, 'legacy' => $legacy, 'memory_kib' => $memory,
]);
