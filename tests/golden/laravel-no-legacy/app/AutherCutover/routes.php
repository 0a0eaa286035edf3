<?php

use App\AutherCutover\DecideWho;
use App\AutherCutover\LoginController;
use App\AutherCutover\MetricsController;
use Illuminate\Support\Facades\Route;

Route::get(MetricsController::PATH, [MetricsController::class, 'show']);

Route::middleware([...config('auther_cutover.middleware'), DecideWho::class.':'.DecideWho::OWN])->group(function () {
    Route::get(LoginController::START, [LoginController::class, 'start']);
    Route::get(parse_url(config('auther_cutover.redirect_uri'), PHP_URL_PATH), [LoginController::class, 'callback']);
    Route::post(LoginController::LOGOUT, [LoginController::class, 'logout']);
});
