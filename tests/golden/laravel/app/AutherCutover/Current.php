<?php

namespace App\AutherCutover;

/** What was decided about this request; null before, and where nobody decides. */
final class Current
{
    public ?Decision $decision = null;

    /** Whether the Authorization header alone authenticated it: a browser sends cookies by itself, but never that. */
    public function usedHeader(): bool
    {
        return $this->decision?->user !== null && $this->decision->credential === 'header';
    }
}
