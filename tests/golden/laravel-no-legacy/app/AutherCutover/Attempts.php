<?php

namespace App\AutherCutover;

use Illuminate\Http\Client\PendingRequest;
use Illuminate\Http\Request;

/**
 * The browser's login at Auther: authorization code with PKCE, each attempt bound to its browser by a cookie of its own
 * (which Laravel encrypts), so that two tabs do not disturb each other.
 */
final class Attempts
{
    private const LIFETIME_S = 600;
    private const TIMEOUT_S = 5;

    public function __construct(private readonly Settings $settings, private readonly Cookies $cookies)
    {
    }

    /**
     * Begins an attempt and has its cookie set.
     *
     * @param  array<string, string>  $bound  `renew`: the `sub` that must come back; `exchange`: the user of ours who must.
     * @return array<string, mixed>
     */
    public function start(string $returnTo, array $bound = []): array
    {
        [$state, $nonce, $verifier] = array_map(fn ($size) => Base64Url::encode(random_bytes($size)), [32, 32, 48]);
        $attempt = compact('state', 'nonce', 'verifier') + ['return_to' => $returnTo, 'until' => time() + self::LIFETIME_S] + $bound;
        $this->cookies->set(self::cookie($state), json_encode($attempt), self::LIFETIME_S);

        return $attempt;
    }

    /** The attempt that a callback's `state` belongs to in this browser; null for anybody else's. */
    public function find(Request $request): ?array
    {
        $state = $request->query('state');
        if (! is_string($state) || preg_match('/^[\w-]{43}$/D', $state) !== 1) {
            return null;
        }
        $name = $this->settings->cookieName(self::cookie($state));
        if (count(Credentials::cookieValues($request, $name)) !== 1) {
            return null;
        }
        $attempt = json_decode((string) $request->cookies->get($name), true);
        $isOurs = is_array($attempt) && hash_equals($attempt['state'], $state) && $attempt['until'] > time();

        return $isOurs ? $attempt : null;
    }

    /** Once: going back to the callback begins nothing again. */
    public function end(array $attempt): void
    {
        $this->cookies->drop(self::cookie($attempt['state']));
    }

    /** The query of the authorization request. */
    public function query(array $attempt): array
    {
        return [
            'response_type' => 'code',
            'client_id' => $this->settings->client_id,
            'redirect_uri' => $this->settings->redirect_uri,
            'scope' => 'openid profile email',
            'state' => $attempt['state'],
            'nonce' => $attempt['nonce'],
            'code_challenge' => self::challengeOf($attempt),
            'code_challenge_method' => 'S256',
        ];
    }

    public static function challengeOf(array $attempt): string
    {
        return Base64Url::encode(hash('sha256', $attempt['verifier'], true));
    }

    /**
     * The id_token for a code.
     *
     * @throws LoginFailed
     */
    public function redeem(array $attempt, string $code): string
    {
        $form = [
            'grant_type' => 'authorization_code',
            'code' => $code,
            'redirect_uri' => $this->settings->redirect_uri,
            'client_id' => $this->settings->client_id,
            'code_verifier' => $attempt['verifier'],
        ] + array_filter(['client_secret' => $this->settings->client_secret]);
        try {
            $answer = Plugin::send(
                fn (PendingRequest $http) => $http->asForm()->post($this->settings->token_url, $form), self::TIMEOUT_S,
            );
        } catch (Unavailable) {
            throw new LoginFailed('auther_unreachable', 503);
        }
        if ($answer->status() !== 200) {
            throw $answer->clientError() ? new LoginFailed('code_refused') : new LoginFailed('auther_unreachable', 503);
        }
        $token = $answer->json('id_token');

        return is_string($token) ? $token : throw new LoginFailed('no_id_token', 502);
    }

    /**
     * Whether verified claims answer this very attempt of this very client.
     *
     * @throws LoginFailed
     */
    public function check(array $attempt, array $claims): void
    {
        $nonce = $claims['nonce'] ?? null;
        if (! is_string($nonce) || ! hash_equals($attempt['nonce'], $nonce)) {
            throw new LoginFailed('nonce');
        }
        if (! in_array($this->settings->client_id, (array) $claims['aud'], true)) {
            throw new LoginFailed('audience');
        }
    }

    private static function cookie(string $state): string
    {
        return 'auther_login_'.substr($state, 0, 12);
    }
}
