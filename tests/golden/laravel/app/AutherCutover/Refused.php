<?php

namespace App\AutherCutover;

use Exception;

/** A token that is not accepted, and why. */
final class Refused extends Exception
{
    /**
     * @param  string  $reason  From a closed list; a counter's label.
     * @param  bool  $stale  It was good once or is good elsewhere, so that a cookie like that counts as absent; otherwise it
     *                       is malformed or forged.
     * @param  array|null  $claims  Of a token with which nothing but its time is wrong.
     */
    public function __construct(
        public readonly string $reason,
        public readonly bool $stale = false,
        public readonly ?array $claims = null,
    ) {
        parent::__construct($reason);
    }
}
