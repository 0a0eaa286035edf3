<?php

namespace App\AutherCutover;

use Exception;

/** A login that does not come to its end; the reason is shown and counted. */
final class LoginFailed extends Exception
{
    public function __construct(public readonly string $reason, public readonly int $status = 400)
    {
        parent::__construct($reason);
    }
}
