<?php

namespace App\Auth;

use Illuminate\Auth\EloquentUserProvider;
use Illuminate\Contracts\Auth\Authenticatable;

/** Compares passwords as Devise does, with its pepper. */
class ClubUserProvider extends EloquentUserProvider
{
    public function validateCredentials(Authenticatable $user, array $credentials)
    {
        return password_verify($credentials['password'].getenv('DEVISE_PEPPER'), $user->getAuthPassword());
    }
}
