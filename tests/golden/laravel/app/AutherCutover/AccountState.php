<?php

namespace App\AutherCutover;

use Illuminate\Contracts\Auth\Authenticatable;

/**
 * What your application says of an account: `active`, `locked`, `locked_by_attempts`, `unconfirmed` or `deleted`. Laravel
 * has none of this by itself but soft deletes: complete it with your own rules (a `banned_at`, a lockout).
 */
class AccountState
{
    public function of(Authenticatable $user): string
    {
        // The provider leaves soft-deleted users out already; a scope that is switched off must not bring them in.
        return method_exists($user, 'trashed') && $user->trashed() ? 'deleted' : 'active';
    }
}
