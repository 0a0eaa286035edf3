<?php

namespace App\AutherCutover;

use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Hashing\HashManager;
use Illuminate\Http\Request;

/** What the application's own code calls. */
final class AutherCutover
{
    /**
     * For your login page: the side on which this browser signs in, `legacy` or `auther`.
     *
     * @param  string  $cohort  A group of your own making (a tenant, the staff) that the switch may move first.
     */
    public static function loginTarget(Request $request, string $cohort = ''): string
    {
        return app(LoginChoice::class)->target($request, app(StageReader::class)->now(), $cohort);
    }

    /**
     * Where you hand something out that signs in later without Laravel's guard (a personal access token): just before.
     *
     * @param  string  $door  A counter's label: a short, closed list.
     *
     * @throws DoorClosed Let it pass: Laravel sends its answer.
     */
    public static function admit(Request $request, Authenticatable $user, string $door): void
    {
        app(Doors::class)->enter($request, (string) $user->getAuthIdentifier(), $door);
    }

    /**
     * Whether a password is right, wherever it is kept. In place of `Hash::check` where that opens a door; `Auth::attempt`
     * and `Auth::validate` do it by themselves.
     *
     * @throws Unavailable Let it pass: Laravel answers 503.
     */
    public static function checkPassword(Authenticatable $user, string $password): bool
    {
        $passwords = app(Passwords::class);
        $person = $passwords->keptAtAuther((string) $user->getAuthIdentifier());
        if ($person) {
            return $passwords->isRightAtAuther($person, $password);
        }

        return app(HashManager::class)->check($password, $user->getAuthPassword());
    }

    /**
     * For a reset link in flight: call it before you consume the link. A URL is where to send the person who has moved, after
     * the link was consumed; null: go on as ever.
     *
     * @param  string  $page  Auther's page that asks for the new password.
     *
     * @throws Unavailable With the link still good, when Auther does not answer. Let it pass: Laravel answers 503.
     */
    public static function resetTarget(Authenticatable $user, string $page): ?string
    {
        $person = app(Passwords::class)->keptAtAuther((string) $user->getAuthIdentifier());
        $body = ['id' => $person?->autherId, 'redirect_to' => $page];

        return $person ? app(Plugin::class)->post('reset-ticket', app(Settings::class)->reset_secret, $body, 2)['url'] : null;
    }

    /**
     * Whether a request may do something, where Auther decides about permissions: for a person from the token's claims, for a
     * program from Auther's answer about its API key. Anything but `allowed` is a refusal.
     */
    public static function permission(Request $request, string $permission, string $type, string $id): string
    {
        if (! app(Settings::class)->delegate_permissions) {
            return 'unknown';
        }
        $decision = app(Current::class)->decision;
        $apiKey = $decision?->user ? '' : (string) $request->headers->get('X-Api-Key');

        return $apiKey === ''
            ? Permissions::fromClaims($decision?->finding?->claims, $permission, $type, $id)
            : app(Permissions::class)->ofApiKey($apiKey, $permission, $type, $id);
    }
}
