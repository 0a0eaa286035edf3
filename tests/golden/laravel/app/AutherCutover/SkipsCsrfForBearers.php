<?php

namespace App\AutherCutover;

/** For App\Http\Middleware\VerifyCsrfToken: CSRF protection follows the credential that was used. */
trait SkipsCsrfForBearers
{
    protected function inExceptArray($request)
    {
        return app(Current::class)->usedHeader() || parent::inExceptArray($request);
    }

    /** No session, no token of it. */
    public function shouldAddXsrfTokenCookie()
    {
        return ! app(Current::class)->usedHeader() && parent::shouldAddXsrfTokenCookie();
    }
}
