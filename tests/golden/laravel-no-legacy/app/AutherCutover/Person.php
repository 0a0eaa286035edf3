<?php

namespace App\AutherCutover;

use Illuminate\Contracts\Auth\Authenticatable;

/** A row of `migrator_identity` with the account it is about. */
final class Person
{
    /**
     * @param  string  $home  legacy or auther.
     * @param  bool  $pinned  May not use Auther: a second factor that Auther cannot hold, and the like.
     * @param  float|null  $validAfterS  Tokens issued before this Unix time are revoked.
     * @param  string  $state  Of `AccountState`.
     */
    public function __construct(
        public readonly string $userId,
        public readonly string $autherId,
        public readonly string $home,
        public readonly bool $pinned,
        public readonly ?float $validAfterS,
        public readonly string $state,
        public readonly ?Authenticatable $user,
    ) {
    }

    /**
     * Whether the account's state keeps its person out of the Auther path. A lock that failed attempts at the legacy form
     * imposed says nothing about somebody whose password is at Auther: else anybody could lock them out there.
     */
    public function isDisabled(): bool
    {
        return $this->state !== 'active' && ! ($this->state === 'locked_by_attempts' && $this->home === 'auther');
    }

    /** Whether a token of that time (whole seconds) was issued before a sign-out everywhere. */
    public function revokes(?int $issuedS): bool
    {
        return $this->validAfterS !== null && ($issuedS === null || $issuedS < floor($this->validAfterS));
    }
}
