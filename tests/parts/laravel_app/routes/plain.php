<?php

// The club after the migration, or a team that never had a legacy side: Auther alone signs people in.

use App\AutherCutover\Current;
use Illuminate\Support\Facades\Auth;
use Illuminate\Support\Facades\Route;

Route::get('whoami', fn () => [
    'user' => Auth::id() === null ? null : (string) Auth::id(),
    'credential' => app(Current::class)->decision?->credential,
    'csrf' => csrf_token(),
]);
Route::post('notes', fn () => Auth::check()
    ? response(['by' => (string) Auth::id()], 201) : response(['error' => 'sign_in'], 401));
