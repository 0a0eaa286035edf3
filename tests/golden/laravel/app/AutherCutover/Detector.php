<?php

namespace App\AutherCutover;

use Illuminate\Auth\GenericUser;
use Illuminate\Auth\SessionGuard;
use Illuminate\Contracts\Auth\UserProvider;
use Illuminate\Contracts\Encryption\Encrypter;
use Illuminate\Cookie\CookieValuePrefix;
use Illuminate\Cookie\Middleware\EncryptCookies;
use Illuminate\Http\Request;
use Illuminate\Http\Response;
use Illuminate\Session\ArraySessionHandler;
use Illuminate\Session\Store;
use Illuminate\Support\Facades\Auth;
use Throwable;

/**
 * The detection control: a renamed key would blind whatever counts legacy use, and a count of zero would prove nothing. So
 * whenever the counters are read, a session and a remember-me cookie that the framework's own code has made are shown to the
 * detector, and a browser without either, which it must not take for one. It stays until the last legacy session is gone.
 */
final class Detector
{
    public function __construct(
        private readonly Settings $settings,
        private readonly Encrypter $encrypter,
        private readonly EncryptCookies $cookies,
        private readonly Counters $counters,
    ) {
    }

    public function seesFixture(): bool
    {
        try {
            $sees = $this->sees($this->sealedSession(), []) && $this->sees(null, $this->sealedRecaller())
                && ! $this->sees(null, []);
        } catch (Throwable) {
            $sees = false;
        }
        $sees || $this->counters->log(['event' => 'detector_blind']);

        return $sees;
    }

    /** As it comes in: cookies decrypted, the session read from its store. */
    private function sees(?Store $session, array $cookies): bool
    {
        $request = Request::create('/', 'GET', [], $cookies);
        $session ??= new Store('fixture', new ArraySessionHandler(1));
        $session->start();
        $sees = false;
        $this->cookies->handle($request, function (Request $request) use ($session, &$sees) {
            $guard = new AutherGuard($this->settings->guard, $this->provider(), $session, $request);
            $sees = $guard->holdsLegacyUser();

            return new Response();
        });

        return $sees;
    }

    private function sealedSession(): Store
    {
        $handler = new ArraySessionHandler(1);
        $session = new Store('fixture', $handler);
        $this->plain($session)->login(new GenericUser(['id' => 0]));
        $session->save();

        return new Store('fixture', $handler, $session->getId());
    }

    private function sealedRecaller(): array
    {
        $name = $this->plain(new Store('fixture', new ArraySessionHandler(1)))->getRecallerName();
        $value = CookieValuePrefix::create($name, $this->encrypter->getKey()).'0|token|hash';

        return [$name => $this->encrypter->encrypt($value, EncryptCookies::serialized($name))];
    }

    /** Laravel's own guard, as it is in every installation. */
    private function plain(Store $session): SessionGuard
    {
        return new SessionGuard($this->settings->guard, $this->provider(), $session);
    }

    private function provider(): UserProvider
    {
        return Auth::createUserProvider(config("auth.guards.{$this->settings->guard}.provider"));
    }
}
