<?php

namespace App\AutherCutover;

use Illuminate\Http\Request;

/** What the application's own code calls. */
final class AutherCutover
{
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
