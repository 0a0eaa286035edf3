<?php

namespace App\AutherCutover;

use Illuminate\Auth\AuthManager;
use Illuminate\Contracts\Container\Container;
use Illuminate\Cookie\Middleware\EncryptCookies;
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
        $this->app->scoped(StageReader::class, fn (Container $app) => new StageReader(
            $settings = $app->make(Settings::class), new StateFolder($settings), $app->make(Counters::class), new SharedMemory($settings),
        ));
        // What each request passes through is made by hand: the container would look at every constructor anew.
        $this->app->bind(DecideWho::class, fn (Container $app) => new DecideWho(
            $settings = $app->make(Settings::class), $app->make(StageReader::class),
            new LegacySessions($settings, $counters = $app->make(Counters::class)), $counters, $app->make(Current::class), $app,
        ));
        $this->app->bind(Credentials::class, fn (Container $app) => $this->credentials($app));
        $this->app->resolving(EncryptCookies::class, function (EncryptCookies $cookies, Container $app) {
            $cookies->disableFor(array_map([$app->make(Settings::class), 'cookieName'], Cookies::PLAIN));
        });
    }

    public function boot(): void
    {
        $this->loadRoutesFrom(__DIR__.'/routes.php');
        $this->app->make('auth')->extend('auther', fn ($app, string $name, array $config) => $this->guard($app->make('auth'), $name, $config));
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

    private function guard(AuthManager $auth, string $name, array $config): AutherGuard
    {
        $guard = new AutherGuard($name, $auth->createUserProvider($config['provider']), $this->app->make('session.store'));
        $guard->setCookieJar($this->app->make('cookie'));
        $guard->setDispatcher($this->app->make('events'));
        $guard->setRequest($this->app->refresh('request', $guard, 'setRequest'));
        isset($config['remember']) && $guard->setRememberDuration($config['remember']);

        return $guard;
    }
}
