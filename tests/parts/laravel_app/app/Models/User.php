<?php

namespace App\Models;

use Illuminate\Database\Eloquent\SoftDeletes;
use Illuminate\Foundation\Auth\User as Authenticatable;

/** In the table that the club's Rails predecessor left: hashes and locks are Devise's. */
class User extends Authenticatable
{
    use SoftDeletes;

    public $timestamps = false;
    protected $casts = ['locked_at' => 'datetime', 'confirmed_at' => 'datetime'];

    public function getAuthPassword()
    {
        return $this->encrypted_password;
    }
}
