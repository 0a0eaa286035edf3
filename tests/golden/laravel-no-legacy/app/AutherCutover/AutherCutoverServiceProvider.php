<?php

namespace App\AutherCutover;

use Illuminate\Contracts\Container\Container;
use Illuminate\Cookie\Middleware\EncryptCookies;
use Illuminate\Support\Facades\Auth;
use Illuminate\Support\ServiceProvider;

/** Puts the parts together. */
final class AutherCutoverServiceProvider extends ServiceProvider
{
    public function register(): void
    {
        $this->app->singleton(Settings::class, fn (Container $app) => new Settings($app->make('config')->get('auther_cutover')));
        // One of each for a request: they note something.
        $this->app->scoped(Counters::class, fn (Container $app) => new Counters(
            new StateFolder($app->make(Settings::class)), $app->make(Settings::class),
        ));
        $this->app->scoped(Current::class, fn (Container $app) => new Current($app->make('config'), $app->make('events')));
        $this->app->scoped(KeySet::class, fn (Container $app) => new KeySet(
            $settings = $app->make(Settings::class), new StateFolder($settings), new SharedMemory($settings),
            $app->make(Counters::class), $app,
        ));
        $this->app->scoped(Background::class);
        // What each request passes through is made by hand: the container would look at every constructor anew.
        $this->app->bind(DecideWho::class, fn (Container $app) => new DecideWho(
            $app->make(Settings::class), $app->make(Credentials::class), $app->make(Counters::class), $app->make(Current::class), $app,
        ));
        $this->app->bind(Credentials::class, fn (Container $app) => $this->credentials($app));
        $this->app->resolving(EncryptCookies::class, function (EncryptCookies $cookies, Container $app) {
            $cookies->disableFor(array_map([$app->make(Settings::class), 'cookieName'], Cookies::PLAIN));
        });
    }

    public function boot(): void
    {
        $this->loadRoutesFrom(__DIR__.'/routes.php');
        Auth::viaRequest('auther', fn () => $this->app->make(Current::class)->decision?->user);
        $behind = function () {
            $this->app->make(Background::class)->turn();
            $this->app->make(Counters::class)->save();
        };
        if ($this->app->runningInConsole()) {
            $this->commands([HeartbeatCommand::class]);
            $this->app->terminating($behind);

            return;
        }
        // Half a configuration must not answer anybody: looked at before the first request is.
        $this->app->make(Settings::class);
        // After `terminating`; and a request that ends with `exit`, or in an error that nobody catches, is counted too.
        register_shutdown_function($behind);
    }

    private function credentials(Container $app): Credentials
    {
        $settings = $app->make(Settings::class);
        $verifier = new TokenVerifier($settings, $app->make(KeySet::class), new VerifiedTokens(new SharedMemory($settings)));
        $people = new People($settings, $app->make(AccountState::class), $app->make(Counters::class));

        return new Credentials($settings, $verifier, $people, new StoredToken($people));
    }
}
