<?php

namespace App\AutherCutover;

use RuntimeException;
use Symfony\Component\HttpFoundation\Response;

/** Nobody can say now whether a credential is good. Laravel answers it as it says here: 503, never 401. */
final class Unavailable extends RuntimeException
{
    public readonly int $retryAfterS;

    /** @param  int  $status  What Auther answered; 0: nothing. */
    public function __construct(string $what, float $retryAfterS = 5, public readonly int $status = 0)
    {
        parent::__construct($what);
        $this->retryAfterS = max(1, (int) ceil($retryAfterS));
    }

    public function render(): Response
    {
        return Answers::unavailable($this->retryAfterS);
    }

    /** An outage is counted, and no error of this application. */
    public function report(): void
    {
    }
}
