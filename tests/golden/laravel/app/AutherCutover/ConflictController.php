<?php

namespace App\AutherCutover;

use Illuminate\Http\Request;
use Symfony\Component\HttpFoundation\Response;

/** Two people are signed in in one browser. The page names neither; its one form ends both. */
final class ConflictController
{
    public const PATH = '/auth/conflict';

    public function __construct(
        private readonly Settings $settings,
        private readonly StageReader $stage,
        private readonly AutherSession $autherSession,
        private readonly LegacySessions $sessions,
        private readonly LoginChoice $choice,
    ) {
    }

    public function show(Request $request): Response
    {
        $token = e($request->session()->token());

        return Answers::page(200, 'Two sign-ins at once',
            '<p>This browser holds two sign-ins that do not belong together, so neither was used.</p>'.
            "<form method=\"post\"><input type=\"hidden\" name=\"_token\" value=\"$token\">".
            '<button>Sign out of both and sign in again</button></form>');
    }

    public function clear(Request $request): Response
    {
        $sent = $request->input('_token');
        $isGenuine = is_string($sent) && hash_equals($request->session()->token(), $sent);
        // Browsers that say where a request comes from are believed; the token is there for the others.
        $saysWhere = $request->headers->has('Sec-Fetch-Site') || $request->headers->has('Origin');
        if (! $isGenuine || ($saysWhere && ! Answers::isSameOrigin($request, $this->settings))) {
            return Answers::json(403, 'csrf');
        }
        $this->autherSession->end($request);
        $this->sessions->guard()->forgetLegacy();
        $request->session()->invalidate();

        return Answers::seeOther($this->choice->path($request, $this->stage->now(), returns: false));
    }
}
