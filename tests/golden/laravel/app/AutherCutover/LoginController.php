<?php

namespace App\AutherCutover;

use Illuminate\Http\Request;
use Symfony\Component\HttpFoundation\Response;

/** The browser's way to Auther and back, and out of both sides. Nobody decides on these paths who it is. */
final class LoginController
{
    public const START = '/auth/auther/start';
    public const LOGOUT = '/auth/auther/logout';

    public function __construct(
        private readonly Settings $settings,
        private readonly Attempts $attempts,
        private readonly Credentials $credentials,
        private readonly TokenVerifier $verifier,
        private readonly People $people,
        private readonly AutherSession $autherSession,
        private readonly Renewal $renewal,
        private readonly Counters $counters,
        private readonly StageReader $stage,
        private readonly LegacySessions $sessions,
        private readonly Exchange $exchange,
    ) {
    }

    public function start(Request $request): Response
    {
        $returnTo = Answers::safeReturnPath($request->query('return_to'), $this->settings->after_login);
        if ($this->stage->now()->stage === 'legacy') {
            return Answers::seeOther(Answers::withReturn($this->settings->login_path, $returnTo));
        }
        $renew = $request->query('renew') === '1' ? $this->renewal->subFor($request) : null;
        if ($renew !== null) {
            $this->renewal->tried($request);
        }
        $attempt = $this->attempts->start($returnTo, $renew === null ? [] : ['renew' => $renew]);

        return Answers::seeOther($this->settings->authorize_url.'?'.http_build_query($this->attempts->query($attempt)));
    }

    public function callback(Request $request): Response
    {
        $attempt = $this->attempts->find($request);
        if (! $attempt) {
            return $this->failed('state', 400);
        }
        $this->attempts->end($attempt);
        try {
            return $this->complete($request, $attempt);
        } catch (LoginFailed $failure) {
            return $this->giveUp($attempt, $failure->reason, $failure->status);
        } catch (Unavailable $outage) {
            return $this->giveUp($attempt, 'verification_unavailable', 503, $outage->retryAfterS);
        }
    }

    /** Back from Auther's exchange/start. */
    public function exchange(Request $request): Response
    {
        $attempt = $this->attempts->find($request);
        if (! isset($attempt['exchange'])) {
            return $this->failed('state', 400);
        }

        return $this->exchange->resume($request, $this->stage->now(), $attempt);
    }

    /** Ends both sides in this browser, and Auther's own session. */
    public function logout(Request $request): Response
    {
        if (! Answers::isSameOrigin($request, $this->settings)) {
            return Answers::json(403, 'csrf');
        }
        $this->counters->add('auth_logouts_total', ['auther' => $this->autherSession->endAtAuther($request)]);
        $this->autherSession->end($request);
        $this->sessions->guard()->forgetLegacy();
        $request->session()->invalidate();

        return Answers::seeOther($this->settings->after_login);
    }

    private function complete(Request $request, array $attempt): Response
    {
        $code = $request->query('code');
        if ($request->query('error') !== null || ! is_string($code) || $code === '') {
            throw new LoginFailed('refused_by_auther');
        }
        $view = $this->stage->now();
        if ($view->stage === 'legacy') {
            return isset($attempt['exchange']) ? throw new LoginFailed('stage', 403)
                : Answers::seeOther(Answers::withReturn($this->settings->login_path, $attempt['return_to']));
        }
        $token = $this->attempts->redeem($attempt, $code);
        $finding = $this->personOf($token, $attempt);
        $person = $finding->person;
        if (isset($attempt['renew']) && $attempt['renew'] !== $person->autherId) {
            return $this->otherUser($request);
        }
        if (isset($attempt['exchange']) && $attempt['exchange'] !== $person->userId) {
            throw new LoginFailed('other_user', 403);
        }
        $this->people->signedIn($person, moves: in_array($view->stage, ['dual', 'drain'], true));
        $this->sessions->end($request, $view, $person->userId);
        isset($attempt['exchange']) && $this->exchange->succeeded();
        $this->autherSession->keep($token, $finding->claims['exp']);
        $door = isset($attempt['exchange']) ? 'exchange' : 'callback';
        $this->counters->add('auth_logins_total', ['door' => $door, 'side' => 'auther']);
        isset($attempt['renew']) && $this->renewal->succeeded();

        return Answers::seeOther(Answers::safeReturnPath($attempt['return_to'], $this->settings->after_login));
    }

    private function personOf(string $token, array $attempt): Finding
    {
        try {
            $claims = $this->verifier->verify($token);
        } catch (Refused $refused) {
            // It was not meant for this login, whatever is wrong with it.
            throw new LoginFailed($refused->reason);
        }
        $this->attempts->check($attempt, $claims);
        $finding = $this->credentials->who($claims, 'cookie');
        if ($finding->kind !== 'valid') {
            throw new LoginFailed($finding->reason, $finding->kind === 'unlinked' ? 409 : 403);
        }

        return $finding;
    }

    /** Somebody else is signed in at Auther: neither side is used for this browser's expired login. */
    private function otherUser(Request $request): Response
    {
        $this->counters->add('auth_renewals_total', ['result' => 'other_user']);
        $this->autherSession->end($request);

        return $this->failed('other_user', 403);
    }

    private function giveUp(array $attempt, string $reason, int $status, int $retryAfterS = 5): Response
    {
        if (isset($attempt['exchange'])) {
            return $this->exchange->giveUp($attempt, $reason);
        }
        if (isset($attempt['renew'])) {
            $this->counters->add('auth_renewals_total', ['result' => 'failed']);
        }

        return $this->failed($reason, $status, $retryAfterS);
    }

    private function failed(string $reason, int $status, int $retryAfterS = 5): Response
    {
        $this->counters->log(['event' => 'auther_login_failed', 'reason' => $reason]);
        $this->counters->add('auth_logins_failed_total', ['reason' => $reason]);
        $body = "<p>You have not been signed in. The reason: <code>$reason</code>.</p>".
            '<p><a href="'.self::START.'">Try again</a></p>';
        $page = Answers::page($status, 'The sign-in was not completed', $body);
        if ($status === 503) {
            $page->headers->set('Retry-After', (string) $retryAfterS);
        }

        return $page;
    }
}
