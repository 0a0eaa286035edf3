<?php

namespace App\AutherCutover;

/** Auther's credential after every check. */
final class Finding
{
    /**
     * @param  string  $kind  absent, valid, stale, forged, disabled, unlinked, foreign, doubled or unavailable.
     * @param  string  $place  header or cookie.
     * @param  string  $reason  Why it is not valid, from a closed list.
     */
    public function __construct(
        public readonly string $kind,
        public readonly string $place = 'cookie',
        public readonly string $reason = '',
        public readonly ?Person $person = null,
        public readonly ?array $claims = null,
        public readonly int $retryAfterS = 5,
    ) {
    }
}
