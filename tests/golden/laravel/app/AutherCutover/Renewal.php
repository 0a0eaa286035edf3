<?php

namespace App\AutherCutover;

use Illuminate\Http\Request;

/**
 * An id_token whose time is over is renewed through the code flow, silently while Auther's own session lives: on the way to a
 * page only, and only for the same person.
 */
final class Renewal
{
    private const TRIES = 'auther_renewals';
    private const TRIES_MAX = 3;
    private const TRIES_S = 86_400;

    public function __construct(
        private readonly Settings $settings,
        private readonly Credentials $credentials,
        private readonly AutherSession $session,
        private readonly Cookies $cookies,
        private readonly Counters $counters,
    ) {
    }

    /** Whether this request should be sent to Auther for a new token. */
    public function isDue(Request $request, Finding $finding): bool
    {
        return $finding->kind === 'stale' && $finding->place === 'cookie' && $finding->reason === 'expired' && $finding->claims
            && $request->getRealMethod() === 'GET' && Answers::isNavigation($request)
            // Who asks for the login page wants to sign in there.
            && Answers::pathOf($request) !== $this->settings->login_path
            && $this->tries($request) < self::TRIES_MAX;
    }

    /** The person whom expired claims name, if nothing but their time is wrong with them. */
    public function personOf(?array $claims): ?Person
    {
        try {
            // Nobody is made a user by a token whose time is over.
            $finding = $claims ? $this->credentials->who($claims, 'cookie', creates: false) : null;
        } catch (Unavailable) {
            return null;
        }

        return $finding?->kind === 'valid' ? $finding->person : null;
    }

    /** The `sub` of this browser's expired token, for the attempt that is to renew it. */
    public function subFor(Request $request): ?string
    {
        try {
            return $this->personOf($this->session->expiredClaims($request))?->autherId;
        } catch (Unavailable) {
            return null;
        }
    }

    /** Each try counts as failed until it worked out: who gives up at Auther's door never comes back to tell. */
    public function tried(Request $request): void
    {
        $this->cookies->set(self::TRIES, (string) ($this->tries($request) + 1), self::TRIES_S);
    }

    public function succeeded(): void
    {
        $this->counters->add('auth_renewals_total', ['result' => 'ok']);
        $this->cookies->drop(self::TRIES);
    }

    private function tries(Request $request): int
    {
        $value = Credentials::cookieValues($request, $this->settings->cookieName(self::TRIES))[0] ?? '0';

        return preg_match('/^\d$/D', $value) === 1 ? (int) $value : self::TRIES_MAX;
    }
}
