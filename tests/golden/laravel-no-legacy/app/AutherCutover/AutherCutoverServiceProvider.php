<?php

namespace App\AutherCutover;

use Illuminate\Cookie\Middleware\EncryptCookies;
use Illuminate\Foundation\Http\Events\RequestHandled;
use Illuminate\Support\Facades\Auth;
use Illuminate\Support\Facades\Event;
use Illuminate\Support\ServiceProvider;

/** Puts the parts together. */
final class AutherCutoverServiceProvider extends ServiceProvider
{
    // Each is built once for a request, however many others ask for it.
    private const OF_A_REQUEST = [
        Counters::class, Current::class, KeySet::class, Cookies::class, People::class, StoredToken::class, TokenVerifier::class,
    ];

    public function register(): void
    {
        $this->app->singleton(Settings::class, fn ($app) => new Settings($app['config']['auther_cutover']));
        array_map([$this->app, 'singleton'], [StateFolder::class, SharedMemory::class]);
        array_map([$this->app, 'scoped'], self::OF_A_REQUEST);
        $this->app->resolving(EncryptCookies::class, function (EncryptCookies $cookies, $app) {
            $cookies->disableFor(array_map([$app->make(Settings::class), 'cookieName'], Cookies::PLAIN));
        });
    }

    public function boot(): void
    {
        // Half a configuration must not answer anybody: looked at before the first request is.
        $this->app->runningInConsole() || $this->app->make(Settings::class);
        $this->loadRoutesFrom(__DIR__.'/routes.php');
        Event::listen(RequestHandled::class, fn (RequestHandled $event) => $this->app->make(Current::class)->handled($event));
        Auth::viaRequest('auther', fn () => $this->app->make(Current::class)->decision?->user);
    }
}
