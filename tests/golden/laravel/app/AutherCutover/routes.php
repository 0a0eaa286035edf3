<?php

use App\AutherCutover\DecideWho;
use App\AutherCutover\ConflictController;
use App\AutherCutover\Control;
use App\AutherCutover\Exchange;
use App\AutherCutover\LoginController;
use App\AutherCutover\MetricsController;
use Illuminate\Support\Facades\Route;

Route::get(MetricsController::PATH, [MetricsController::class, 'show']);
// The positive control is sent here: the middleware answers it. To everybody else the path does not exist.
Route::get(Control::PATH, [MetricsController::class, 'absent'])->middleware(DecideWho::class.':'.DecideWho::OWN);

Route::middleware([...config('auther_cutover.middleware'), DecideWho::class.':'.DecideWho::OWN])->group(function () {
    Route::get(LoginController::START, [LoginController::class, 'start']);
    Route::get(parse_url(config('auther_cutover.redirect_uri'), PHP_URL_PATH), [LoginController::class, 'callback']);
    Route::post(LoginController::LOGOUT, [LoginController::class, 'logout']);
    Route::get(Exchange::PATH, [LoginController::class, 'exchange']);
    Route::get(ConflictController::PATH, [ConflictController::class, 'show']);
    Route::post(ConflictController::PATH, [ConflictController::class, 'clear']);
});
