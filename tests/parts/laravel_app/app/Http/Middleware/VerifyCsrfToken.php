<?php

namespace App\Http\Middleware;

use App\AutherCutover\SkipsCsrfForBearers;
use Illuminate\Foundation\Http\Middleware\VerifyCsrfToken as Middleware;

class VerifyCsrfToken extends Middleware
{
    use SkipsCsrfForBearers;

    // The old mobile application's door.
    protected $except = ['api/login'];
}
