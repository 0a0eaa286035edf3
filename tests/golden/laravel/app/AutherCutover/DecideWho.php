<?php

namespace App\AutherCutover;

use Closure;
use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Contracts\Container\Container;
use Illuminate\Http\Request;
use Symfony\Component\HttpFoundation\Response;

/**
 * The middleware: Auther and the application's own sessions side by side. In the group `web` right after StartSession; in the
 * group `api` first, as `DecideWho::class.':api'`: there no CSRF check stands behind, so no cookie counts.
 */
final class DecideWho
{
    public const OWN = 'own';
    public const API = 'api';

    public function __construct(
        private readonly Settings $settings,
        private readonly StageReader $stage,
        private readonly LegacySessions $sessions,
        private readonly Counters $counters,
        private readonly Current $current,
        // Most requests bring a session and nothing else: what they do not need is not even loaded.
        private readonly Container $parts,
    ) {
    }

    public function handle(Request $request, Closure $next, string $group = 'web'): Response
    {
        return $this->answer($request, $group) ?? $this->counted($next($request));
    }

    /** What the application answered; an exception is an answer already when it comes here. */
    private function counted(Response $answer): Response
    {
        if ($this->current->decision) {
            $this->counters->answered($this->current->decision->path, $answer->getStatusCode());
        }

        return $answer;
    }

    /** null: the application answers. */
    private function answer(Request $request, string $group): ?Response
    {
        $isExempt = in_array($request->path(), $this->settings->exempt, true);
        try {
            $view = $this->stage->now();
        } catch (Unavailable $outage) {
            return $isExempt ? $this->exempt() : $this->withoutStage($request, $outage);
        }
        // Before the decision, on the same counting line: it proves that legacy use would be seen.
        $marker = $request->headers->get(Control::HEADER);
        if ($marker !== null && $this->parts->make(Control::class)->accepts($marker)) {
            $this->counters->decided(new Decision('legacy', 'accepted'), $view->stage, $request, synthetic: true);
            // Whoever sent it reads the counters next.
            $this->counters->save();

            return new Response('', 204, ['Cache-Control' => 'no-store']);
        }
        if ($group === self::OWN || $isExempt) {
            return $this->exempt();
        }

        return $this->decided($request, $view, $group);
    }

    private function exempt(): ?Response
    {
        $this->sessions->guard()->exempt();

        return null;
    }

    private function decided(Request $request, StageView $view, string $group): ?Response
    {
        $sinceS = microtime(true);
        $finding = Credentials::areIn($request, $this->settings)
            ? $this->parts->make(Credentials::class)->examine($request, $group !== self::API, $view->acceptsAuther())
            : new Finding('absent');
        $mayHaveSession = in_array($finding->kind, ['absent', 'stale', 'valid'], true) && $group !== self::API;
        $session = $mayHaveSession ? $this->sessions->find($request, $view) : null;
        if ($view->stage !== 'legacy' && $finding->kind === 'stale' && $this->renews($request, $finding, $session)) {
            $query = http_build_query(['return_to' => $request->getRequestUri(), 'renew' => '1']);

            return Answers::seeOther(LoginController::START.'?'.$query);
        }
        $handsForeignOn = $finding->kind === 'foreign' && $this->isForeignPath(Answers::pathOf($request));
        $decision = DecisionTable::decide($session, $finding, $view->legacyIsOver(), $handsForeignOn);
        $this->counters->decided($decision, $view->stage, $request, $sinceS);

        return $this->act($request, $view, $decision);
    }

    private function renews(Request $request, Finding $finding, Authenticatable|bool|null $session): bool
    {
        $renewal = $this->parts->make(Renewal::class);
        $person = $renewal->isDue($request, $finding) ? $renewal->personOf($finding->claims) : null;
        $isOther = $session instanceof Authenticatable && (string) $session->getAuthIdentifier() !== $person?->userId;

        return $person && ! $isOther;
    }

    private function act(Request $request, StageView $view, Decision $decision): ?Response
    {
        $guard = $this->sessions->guard();
        $decision->dropsCookie && $this->parts->make(AutherSession::class)->end($request);
        $decision->forgetsLegacy && $request->hasSession() && $guard->forgetLegacy();
        $this->current->decide($decision);
        $guard->decide($decision->user);
        if ($decision->answer !== 'pass') {
            return $this->refused($request, $view, $decision);
        }
        if ($decision->path === 'foreign' && $decision->outcome === 'accepted') {
            // The application's own authenticator is to decide, so it finds no cookie at all.
            $request->cookies->replace([]);
            $request->headers->remove('Cookie');
        }
        if ($decision->credential !== 'session') {
            return null;
        }
        $this->sessions->saw($request, $decision->user);
        $offered = Exchange::isFor($view, $this->settings)
            ? $this->parts->make(Exchange::class)->offer($request, $view, $decision->user) : null;
        $offered || $guard->remember();

        return $offered;
    }

    private function refused(Request $request, StageView $view, Decision $decision): ?Response
    {
        $answer = $decision->answer;
        if ($answer === 'verification_unavailable') {
            return Answers::unavailable($decision->finding->retryAfterS);
        }
        if ($answer === 'identity_unlinked') {
            return Answers::json(409, $answer);
        }
        $isNavigation = Answers::isNavigation($request);
        if ($isNavigation && $answer === 'conflict_page') {
            return Answers::seeOther(ConflictController::PATH);
        }
        if ($isNavigation && in_array($answer, ['login', 'legacy_ended'], true)) {
            // The login page itself must not redirect to the login page.
            $isThere = Answers::pathOf($request) === $this->settings->login_path;

            return $isThere ? null
                : Answers::seeOther($this->parts->make(LoginChoice::class)->path($request, $view));
        }

        return Answers::json(401, ['login' => 'invalid_token', 'conflict_page' => 'auth_conflict'][$answer] ?? $answer);
    }

    private function withoutStage(Request $request, Unavailable $outage): Response
    {
        $this->counters->decided(new Decision('none', 'unavailable', 'verification_unavailable'), 'unknown', $request);

        return Answers::unavailable($outage->retryAfterS);
    }

    /** A prefix ends at a segment's border, and a path that a proxy could read differently is not below any. */
    private function isForeignPath(string $path): bool
    {
        if (preg_match('#[\\\\%]|//|/\.\.?(/|$)#D', $path) === 1) {
            return false;
        }
        foreach ($this->settings->foreign_paths as $prefix) {
            if (str_starts_with("$path/", rtrim($prefix, '/').'/')) {
                return true;
            }
        }

        return false;
    }
}
