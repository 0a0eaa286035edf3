<?php

namespace App\AutherCutover;

use Illuminate\Auth\SessionGuard;
use Illuminate\Contracts\Auth\Authenticatable;

/**
 * Laravel's session guard, which takes the middleware's decision for an answer and closes the one place where a session gains
 * a user. Whatever signs in comes through it: `attempt`, `login`, `loginUsingId`, remember-me, Basic. Events would be too
 * late (`Login` comes after the session is written) or too early (`Attempting` knows no user).
 */
final class AutherGuard extends SessionGuard
{
    private bool $isDecided = false;
    private bool $isExempt = false;

    /** Not of this class: under another name every session and every remember-me cookie would be lost at once. */
    public function getName()
    {
        return 'login_'.$this->name.'_'.sha1(SessionGuard::class);
    }

    public function getRecallerName()
    {
        return 'remember_'.$this->name.'_'.sha1(SessionGuard::class);
    }

    /** @param  Authenticatable|null  $user  Whoever the request acts for; null: nobody, whatever the session says. */
    public function decide(?Authenticatable $user): void
    {
        $this->isDecided = true;
        $this->user = $user;
        if ($user) {
            $this->fireAuthenticatedEvent($user);
        }
    }

    /** On paths that work whatever else is in the browser the session alone counts: your own logout. */
    public function exempt(): void
    {
        $this->isExempt = true;
    }

    /** A route without the middleware sees nobody: a session must not count where nobody looks at the stage. */
    public function user()
    {
        if ($this->loggedOut || $this->user !== null) {
            return $this->loggedOut ? null : $this->user;
        }

        return $this->isExempt && ! $this->isDecided ? $this->user = $this->legacyUser() : null;
    }

    /** The parent looks into the session where `user` says nobody. */
    public function id()
    {
        return $this->user()?->getAuthIdentifier();
    }

    /** Whether session or remember-me name somebody. Looks nobody up; the detector and the counters hang on it. */
    public function holdsLegacyUser(): bool
    {
        return $this->session->get($this->getName()) !== null || $this->recaller()?->valid();
    }

    /** Whom they name, after the framework's own checks and the account's state. Writes nothing into the session. */
    public function legacyUser(): ?Authenticatable
    {
        $id = $this->session->get($this->getName());
        $user = $id === null ? null : $this->provider->retrieveById($id);
        $this->recallAttempted = false;
        $recaller = $user ? null : $this->recaller();
        $user ??= $recaller ? $this->userFromRecaller($recaller) : null;

        return $user && $this->state($user) === 'active' ? $user : null;
    }

    /** Makes a session of a remember-me cookie, as the framework does, as long as sessions are made at all. */
    public function remember(): void
    {
        if (! $this->viaRemember() || $this->session->get($this->getName()) !== null) {
            return;
        }
        try {
            $this->updateSession($this->user->getAuthIdentifier());
            $this->fireLoginEvent($this->user, true);
        } catch (DoorClosed) {
            // They stay who they are in this request; the exchange is offered on the way to a page.
        }
    }

    /** Takes the user out of this browser's session; its rest (cart, CSRF token) stays. */
    public function forgetLegacy(): void
    {
        $this->session->forget([$this->getName(), 'password_hash_'.$this->name]);
        if ($this->recaller()) {
            $this->getCookieJar()->queue($this->getCookieJar()->forget($this->getRecallerName()));
        }
    }

    public function logout()
    {
        parent::logout();
        app(AutherSession::class)->end($this->getRequest());
    }

    public function logoutCurrentDevice()
    {
        parent::logoutCurrentDevice();
        app(AutherSession::class)->end($this->getRequest());
    }

    /** The only place in the framework that writes a user into a session. */
    protected function updateSession($id)
    {
        app(Doors::class)->enter($this->getRequest(), (string) $id, $this->viaRemember ? 'remember_me' : '');
        // What was known about the one who was here before says nothing about this one.
        $this->session->forget(LegacySessions::LOOKED_AT);
        parent::updateSession($id);
    }

    /** Locked and the like are refused as a wrong password is: a stranger must not learn more. */
    protected function hasValidCredentials($user, $credentials)
    {
        $user = $user && $this->state($user) === 'active' ? $user : null;
        $passwords = app(Passwords::class);
        $person = $user ? $passwords->keptAtAuther((string) $user->getAuthIdentifier()) : null;
        if (! $person) {
            $isRight = parent::hasValidCredentials($user, $credentials);
            $isRight && $passwords->shadow((string) $user->getAuthIdentifier(), $credentials['password']);

            return $isRight;
        }

        // As long as the parent takes for a wrong password of anybody.
        return $this->timebox->call(function ($timebox) use ($passwords, $person, $user, $credentials) {
            $isRight = $passwords->isRightAtAuther($person, $credentials['password']);
            if ($isRight) {
                $timebox->returnEarly();
                $this->fireValidatedEvent($user);
            }

            return $isRight;
        }, 200 * 1000);
    }

    private function state(Authenticatable $user): string
    {
        return app(AccountState::class)->of($user);
    }
}
