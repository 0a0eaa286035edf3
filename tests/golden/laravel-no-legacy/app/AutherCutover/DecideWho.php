<?php

namespace App\AutherCutover;

use Closure;
use Illuminate\Contracts\Container\Container;
use Illuminate\Http\Request;
use Symfony\Component\HttpFoundation\Response;

/**
 * The middleware: who a request acts for, by the Authorization header or this browser's cookie. In the group `web` right after
 * StartSession; in the group `api` first, as `DecideWho::class.':api'`: there no CSRF check stands behind, so no cookie counts.
 */
final class DecideWho
{
    public const OWN = 'own';
    public const API = 'api';

    public function __construct(
        private readonly Settings $settings,
        private readonly Credentials $credentials,
        private readonly Counters $counters,
        private readonly Current $current,
        // What few requests need is not even loaded for the others.
        private readonly Container $parts,
    ) {
    }

    public function handle(Request $request, Closure $next, string $group = 'web'): Response
    {
        $isOwn = $group === self::OWN || in_array($request->path(), $this->settings->exempt, true);

        return ($isOwn ? null : $this->decided($request, $group)) ?? $this->counted($next($request));
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
    private function decided(Request $request, string $group): ?Response
    {
        $sinceS = microtime(true);
        $finding = $this->credentials->examine($request, $group !== self::API);
        if ($finding->kind === 'stale' && $this->renews($request, $finding)) {
            $query = http_build_query(['return_to' => $request->getRequestUri(), 'renew' => '1']);

            return Answers::seeOther(LoginController::START.'?'.$query);
        }
        $decision = $this->decide($finding);
        $this->counters->decided($decision, 'auther', $request, $sinceS);
        $decision->dropsCookie && $this->parts->make(AutherSession::class)->end($request);
        $this->current->decide($decision);

        return match (true) {
            $decision->answer === 'pass' => null,
            $decision->answer === 'verification_unavailable' => Answers::unavailable($finding->retryAfterS),
            $decision->answer === 'identity_unlinked' => Answers::json(409, $decision->answer),
            $decision->answer === 'login' && Answers::isNavigation($request) => Answers::seeOther(
                Answers::withReturn(LoginController::START, $this->returnPath($request)),
            ),
            default => Answers::json(401, $decision->answer === 'login' ? 'invalid_token' : $decision->answer),
        };
    }

    private function renews(Request $request, Finding $finding): bool
    {
        $renewal = $this->parts->make(Renewal::class);

        return $renewal->isDue($request, $finding) && $renewal->personOf($finding->claims);
    }

    private function decide(Finding $finding): Decision
    {
        [$reason, $isCookie] = [$finding->reason, $finding->place === 'cookie'];

        return match ($finding->kind) {
            'valid' => new Decision('auther', 'accepted', user: $finding->person->user, credential: $finding->place, finding: $finding),
            'unavailable' => new Decision('auther', 'unavailable', $reason, 'verification_unavailable'),
            'absent' => new Decision($reason === '' ? 'none' : 'foreign', 'anonymous', $reason),
            'foreign', 'doubled' => new Decision('foreign', 'refused', $reason, 'foreign_bearer'),
            'unlinked' => new Decision('auther', 'refused', $reason, 'identity_unlinked', dropsCookie: $isCookie),
            'stale' => $isCookie ? new Decision('none', 'anonymous', $reason, dropsCookie: true)
                : new Decision('auther', 'refused', $reason, 'invalid_token'),
            default => new Decision('auther', 'refused', $reason, $isCookie ? 'login' : 'invalid_token', dropsCookie: $isCookie),
        };
    }

    private function returnPath(Request $request): string
    {
        $isGet = $request->getRealMethod() === 'GET';

        return $isGet ? Answers::safeReturnPath($request->getRequestUri(), $this->settings->after_login) : '';
    }
}
