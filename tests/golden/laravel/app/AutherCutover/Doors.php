<?php

namespace App\AutherCutover;

use Illuminate\Http\Request;
use Symfony\Component\HttpFoundation\Response;

/** Says whether a session may gain a user. Legacy sign-ins are counted here, and closed by stage and home. */
final class Doors
{
    public function __construct(
        private readonly Settings $settings,
        private readonly StageReader $stage,
        private readonly People $people,
        private readonly AutherSession $autherSession,
        private readonly Counters $counters,
    ) {
    }

    /**
     * @param  string  $door  A counter's label; '': by the request's path.
     *
     * @throws DoorClosed
     */
    public function enter(Request $request, string $userId, string $door = ''): void
    {
        $door = $door ?: $this->settings->doors[$request->path()] ?? 'other';
        $view = $this->stage->now();
        if (! $this->isOpen($request, $view, $userId)) {
            $this->counters->add('auth_logins_refused_total', ['door' => $door, 'stage' => $view->stage]);
            throw new DoorClosed($this->closed($request));
        }
        // Two sides at once in one browser would be a conflict from the next request on.
        $this->autherSession->end($request);
        $this->counters->add('auth_logins_total', ['door' => $door, 'side' => 'legacy']);
    }

    private function isOpen(Request $request, StageView $view, string $userId): bool
    {
        if ($view->stage === 'auther' || $view->stage === 'legacy') {
            return $view->stage === 'legacy';
        }
        $person = $this->people->linked($userId);
        $asksForJson = ! Answers::wantsPage($request);
        if ($view->stage === 'drain') {
            return $person?->pinned || ($asksForJson && $this->jsonDoorsAreOpen());
        }

        // Old programs cannot follow a redirect, so what answers JSON stays open for everybody in `dual`.
        return $person?->home !== 'auther' || $person->pinned || $asksForJson;
    }

    private function closed(Request $request): Response
    {
        if (! Answers::wantsPage($request)) {
            return Answers::json(403, 'login_moved');
        }
        // Where Laravel's `auth` middleware has sent them from.
        $intended = $request->hasSession() ? (string) $request->session()->get('url.intended') : '';
        $path = preg_replace('#^https?://[^/]+#', '', $intended);

        return Answers::seeOther(Answers::withReturn(
            LoginController::START, Answers::safeReturnPath($path, $this->settings->after_login),
        ));
    }

    private function jsonDoorsAreOpen(): bool
    {
        $until = $this->settings->json_doors_until;

        return $until !== '' && time() < strtotime($until);
    }
}
