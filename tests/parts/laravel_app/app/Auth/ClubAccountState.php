<?php

namespace App\Auth;

use App\AutherCutover\AccountState;
use Illuminate\Contracts\Auth\Authenticatable;

/** Devise's rules for who may be signed in: `unlock_in` is an hour, `maximum_attempts` are 20. */
class ClubAccountState extends AccountState
{
    public function of(Authenticatable $user): string
    {
        return match (true) {
            $user->trashed() => 'deleted',
            $user->confirmed_at === null => 'unconfirmed',
            $user->locked_at === null || $user->locked_at->addHour()->isPast() => 'active',
            default => $user->failed_attempts >= 20 ? 'locked_by_attempts' : 'locked',
        };
    }
}
