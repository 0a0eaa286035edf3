<?php

namespace App\AutherCutover;

use Illuminate\Database\QueryException;
use Illuminate\Http\Request;

/** Auther's side of a browser: the id_token in its cookie, and what stands behind it. */
final class AutherSession
{
    // Browsers drop cookies above 4096 bytes, name and attributes included.
    private const COOKIE_MAX_BYTES = 3500;
    private const LOGOUT_TIMEOUT_S = 2;
    // As long as Auther's own session: a browser that no longer sends an expired token cannot be renewed.
    private const RENEWABLE_S = 7 * 86_400;

    public function __construct(
        private readonly Settings $settings,
        private readonly StoredToken $stored,
        private readonly TokenVerifier $verifier,
        private readonly Plugin $plugin,
        private readonly Cookies $cookies,
    ) {
    }

    public function keep(string $token, int|float $expiresAtS): void
    {
        $keptUntilS = $expiresAtS + self::RENEWABLE_S;
        $value = strlen($token) > self::COOKIE_MAX_BYTES ? $this->stored->keep($token, $keptUntilS) : $token;
        $this->cookies->set(Credentials::ID_TOKEN, $value, (int) ($keptUntilS - time()));
    }

    /** Removes the credential from this browser. An outage of our table does not keep it there. */
    public function end(Request $request): void
    {
        $values = $this->values($request);
        if ($values) {
            $this->cookies->drop(Credentials::ID_TOKEN);
        }
        foreach ($values as $value) {
            try {
                str_starts_with($value, 's.') && $this->stored->drop($value);
            } catch (QueryException) {
                continue;
            }
        }
    }

    /**
     * Ends the session at Auther itself, which would sign the browser in again without a password. Best effort.
     *
     * @return string ended, failed or off.
     */
    public function endAtAuther(Request $request): string
    {
        $secret = $this->settings->logout_secret;
        $sub = $this->plugin->has($secret) ? $this->subOf($request) : null;
        if ($sub === null) {
            return 'off';
        }
        try {
            $this->plugin->post('logout', $secret, ['id' => $sub], self::LOGOUT_TIMEOUT_S);

            return 'ended';
        } catch (Unavailable) {
            return 'failed';
        }
    }

    /**
     * The claims of this browser's token when nothing is wrong with it but its time.
     *
     * @throws Unavailable
     */
    public function expiredClaims(Request $request): ?array
    {
        try {
            $this->claims($request);

            return null;
        } catch (Refused $refused) {
            return $refused->reason === 'expired' ? $refused->claims : null;
        }
    }

    /**
     * Whom this browser's token names, even if its time is over; but an old one that somebody found must not sign its person
     * out for ever.
     */
    private function subOf(Request $request): ?string
    {
        try {
            return $this->claims($request)['sub'] ?? null;
        } catch (Refused $refused) {
            $claims = $refused->claims;

            return $claims && time() < $claims['exp'] + self::RENEWABLE_S ? $claims['sub'] : null;
        } catch (Unavailable) {
            return null;
        }
    }

    private function claims(Request $request): ?array
    {
        $value = $this->values($request)[0] ?? null;

        return $value === null ? null : $this->verifier->verify($this->stored->of($value));
    }

    private function values(Request $request): array
    {
        return Credentials::cookieValues($request, $this->settings->cookieName(Credentials::ID_TOKEN));
    }
}
