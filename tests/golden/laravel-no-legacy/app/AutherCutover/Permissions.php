<?php

namespace App\AutherCutover;

use Illuminate\Http\Client\PendingRequest;

/** Permissions that Auther decides about: `allowed`, `denied` or `unknown`, which counts as a refusal. */
final class Permissions
{
    private const TIMEOUT_S = 1;

    public function __construct(private readonly Settings $settings)
    {
    }

    /** What a token itself says: claim keys are `type` (all entities) and `type:id`. A missing claim is not an empty one. */
    public static function fromClaims(?array $claims, string $permission, string $type, string $id): string
    {
        $granted = $claims['permissions'] ?? null;
        if (! is_array($granted)) {
            return 'unknown';
        }
        $keys = [$type, "$type:$id"];
        $conditions = $claims['abac_required'] ?? false;
        // What is not understood may be a condition.
        if ($conditions !== false && (! is_array($conditions) || self::holds($conditions, $keys, $permission))) {
            return 'unknown';
        }

        return self::holds($granted, $keys, $permission) ? 'allowed' : 'denied';
    }

    /**
     * Asks Auther about a program. The subject of its answer is the API key, never a person: so the key is that of the program
     * which called, and not one of the application's own, which would give everybody what the application may.
     */
    public function ofApiKey(string $apiKey, string $permission, string $type, string $id): string
    {
        $url = $this->settings->check_permission_url;
        if ($apiKey === '' || $url === '') {
            return 'unknown';
        }
        $body = ['entityType' => $type, 'entityId' => $id, 'permission' => $permission];
        try {
            $answer = Plugin::send(
                fn (PendingRequest $http) => $http->withHeaders(['x-api-key' => $apiKey])->post($url, $body), self::TIMEOUT_S,
            );
        } catch (Unavailable) {
            return 'unknown';
        }
        $allowed = $answer->status() === 200 ? $answer->json('allowed') : null;

        return is_bool($allowed) ? ($allowed ? 'allowed' : 'denied') : 'unknown';
    }

    private static function holds(array $lists, array $keys, string $permission): bool
    {
        foreach ($keys as $key) {
            if (is_array($lists[$key] ?? null) && in_array($permission, $lists[$key], true)) {
                return true;
            }
        }

        return false;
    }
}
