<?php

// The club, and what the README of the shim tells to add.

use App\AutherCutover\Answers;
use App\AutherCutover\AutherCutover;
use App\AutherCutover\Current;
use App\Models\User;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\Auth;
use Illuminate\Support\Facades\Route;

Route::get('login', function (Request $request) {
    $back = Answers::safeReturnPath($request->query('return_to'), '/');
    if (AutherCutover::loginTarget($request, (string) $request->query('cohort')) === 'auther') {
        return '<a href="/auth/auther/start?'.e(http_build_query(['return_to' => $back])).'">Sign in at Auther</a>';
    }

    return '<form method="post">'.csrf_field().'<input name="email"><input name="password" type="password">'.
        '<input name="remember" type="checkbox" value="1"></form>';
});

$signsIn = fn (Request $request) => Auth::attempt([
    'email' => mb_strtolower(trim($request->input('email'))), 'password' => $request->input('password'),
], $request->boolean('remember'));
Route::post('login', fn (Request $request) => $signsIn($request)
    ? redirect('/', 303) : response('wrong e-mail or password', 422));
Route::post('api/login', fn (Request $request) => $signsIn($request)
    ? ['user' => Auth::id()] : response(['error' => 'wrong'], 401));
Route::post('logout', function (Request $request) {
    Auth::logout();
    $request->session()->invalidate();

    return redirect('/login', 303);
});
Route::get('enter/{user}', fn (User $user) => [Auth::login($user)]);

Route::get('/', fn () => 'the club');
Route::get('broken', fn () => abort(502));
Route::get('thrown', fn () => throw new RuntimeException('an error of the club'));
Route::get('export', function () {
    echo 'old code sends its file like this';
    exit;
});
$whoami = function (Request $request) {
    $decision = app(Current::class)->decision;

    return [
        'user' => Auth::id() === null ? null : (string) Auth::id(),
        'credential' => $decision?->credential,
        'auther_id' => $decision?->finding?->person?->autherId,
        'cart' => $request->session()->get('cart'),
    ];
};
Route::get('whoami', $whoami);
Route::get('api/v1/whoami', $whoami);
Route::get('cart', function (Request $request) {
    $request->session()->put('cart', $request->query('item'));

    return ['csrf' => csrf_token()];
});
Route::post('notes', fn () => Auth::check()
    ? response(['by' => (string) Auth::id()], 201) : response(['error' => 'sign_in'], 401));
Route::get('permission', fn (Request $request) => ['answer' => AutherCutover::permission(
    $request, $request->query('permission'), $request->query('type'), $request->query('id'),
)]);
Route::post('reset/{user}', fn (User $user) => [
    'url' => AutherCutover::resetTarget($user, 'https://auther.example/new-password'), 'consumed' => true,
]);
