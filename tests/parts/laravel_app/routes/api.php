<?php

use Illuminate\Support\Facades\Auth;
use Illuminate\Support\Facades\Route;

Route::get('whoami', fn () => ['user' => Auth::id() === null ? null : (string) Auth::id()]);
