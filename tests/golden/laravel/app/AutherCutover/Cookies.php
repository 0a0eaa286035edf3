<?php

namespace App\AutherCutover;

use Illuminate\Contracts\Cookie\QueueingFactory;
use Symfony\Component\HttpFoundation\Cookie;

/** Sets and removes the cookies that this code owns. */
final class Cookies
{
    /** Not encrypted by EncryptCookies: tokens are signed, and the others must be readable for whoever tests them. */
    public const PLAIN = ['auther_id_token', 'migrator_bucket', 'auther_renewals', 'auther_exchange_pause'];

    public function __construct(private readonly Settings $settings, private readonly QueueingFactory $jar)
    {
    }

    /** @param  string  $name  Without prefix. */
    public function set(string $name, string $value, int $lifetimeS): void
    {
        $this->queue($name, $value, time() + max(0, $lifetimeS));
    }

    /** A `__Host-` cookie is only removed by a Set-Cookie that has its attributes. */
    public function drop(string $name): void
    {
        $this->queue($name, '', 1);
    }

    private function queue(string $name, string $value, int $expiresAtS): void
    {
        // Not Laravel's own helper: it adds the session's domain, which a `__Host-` cookie must not have.
        $this->jar->queue(new Cookie(
            $this->settings->cookieName($name), $value, $expiresAtS, '/', null, $this->settings->isSecure(), true, false, 'lax',
        ));
    }
}
