<?php

namespace App\AutherCutover;

use Illuminate\Contracts\Config\Repository;
use Illuminate\Contracts\Events\Dispatcher;
use Illuminate\Foundation\Http\Events\RequestHandled;

/** What was decided about this request; null before, and where nobody decides. */
final class Current
{
    public ?Decision $decision = null;

    public function __construct(private readonly Repository $config, private readonly Dispatcher $events)
    {
    }

    public function decide(Decision $decision): void
    {
        $this->decision = $decision;
        if ($this->isOfProgram()) {
            // StartSession asks for the driver once more before it writes what it has begun, and an array is not written.
            $this->config->set('session.driver', 'array');
            $this->events->listen(RequestHandled::class, fn (RequestHandled $event) => $this->dropSessionCookie($event));
        }
    }

    /** Whether the Authorization header alone authenticated it: a browser sends cookies by itself, but never that. */
    public function usedHeader(): bool
    {
        return $this->decision?->user !== null && $this->decision->credential === 'header';
    }

    /** A program that brings its credential with each request would get a cookie each time, of a session that nobody kept. */
    private function dropSessionCookie(RequestHandled $event): void
    {
        ['cookie' => $name, 'path' => $path, 'domain' => $domain] = $this->config->get('session');
        $event->response->headers->removeCookie($name, $path, $domain);
    }

    private function isOfProgram(): bool
    {
        $isForeign = $this->decision?->path === 'foreign' && $this->decision->outcome === 'accepted';

        return $isForeign || $this->usedHeader();
    }
}
