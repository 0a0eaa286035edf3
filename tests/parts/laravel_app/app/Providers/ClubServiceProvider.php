<?php

namespace App\Providers;

use App\Auth\ClubAccountState;
use App\Auth\ClubUserProvider;
use App\AutherCutover\AccountState;
use Illuminate\Foundation\Support\Providers\RouteServiceProvider;
use Illuminate\Support\Facades\Auth;
use Illuminate\Support\Facades\Route;

class ClubServiceProvider extends RouteServiceProvider
{
    public function register()
    {
        parent::register();
        // Without a users table there are no accounts.
        if (class_exists(AccountState::class)) {
            $this->app->bind(AccountState::class, ClubAccountState::class);
        }
    }

    public function boot()
    {
        Auth::provider('club', fn ($app, array $config) => new ClubUserProvider($app['hash'], $config['model']));
        $this->routes(function () {
            Route::get('healthz', fn () => 'ok');
            Route::middleware('web')->group(base_path('routes/'.env('CLUB_ROUTES', 'web').'.php'));
            Route::middleware('api')->prefix('stateless')->group(base_path('routes/api.php'));
        });
    }
}
