<?php

namespace App\AutherCutover;

use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Database\QueryException;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\Auth;
use Illuminate\Support\Facades\DB;

/**
 * The legacy side of a request. What was looked up is noted in the session itself, which the framework writes anyway: so a
 * request that has nothing but a session asks the database nothing more than it did before.
 */
final class LegacySessions
{
    public const LOOKED_AT = 'auther_looked_at';
    private const SEEN_AT = 'auther_seen_at';
    private const SEEN_EVERY_S = 60;
    private const ENDED = <<<'SQL'
        SELECT 1 FROM "public".migrator_identity
        WHERE source = ? AND user_pk = ? AND home = 'auther' AND auth_valid_after IS NOT NULL
        SQL;

    public function __construct(
        private readonly Settings $settings,
        private readonly Counters $counters,
    ) {
    }

    public function guard(): AutherGuard
    {
        return Auth::guard($this->settings->guard);
    }

    /**
     * Whom this browser's session names; true: somebody, and nobody asks any more whom; null: nobody.
     */
    public function find(Request $request, StageView $view): Authenticatable|bool|null
    {
        $guard = $this->guard();
        if (! $request->hasSession() || ! $guard->holdsLegacyUser()) {
            return null;
        }
        if ($view->legacyIsOver()) {
            return true;
        }
        $user = $guard->legacyUser();
        if ($user && $view->stage !== 'legacy' && $this->wereEnded($request, $user)) {
            $guard->forgetLegacy();

            return null;
        }

        return $user;
    }

    /** A login on the other side ends this one first: a conflict later means abuse or a race. */
    public function end(Request $request, StageView $view, string $newUserId): void
    {
        $user = $view->legacyIsOver() ? null : $this->guard()->legacyUser();
        $this->guard()->forgetLegacy();
        // What somebody else has left in the session (cart, drafts) goes too.
        if ($user && (string) $user->getAuthIdentifier() !== $newUserId) {
            $request->session()->invalidate();
        }
        $request->session()->migrate(true);
        $request->session()->regenerateToken();
    }

    /** Has the time noted, at most once a minute for each session. */
    public function saw(Request $request, Authenticatable $user): void
    {
        if (time() - $request->session()->get(self::SEEN_AT, 0) >= self::SEEN_EVERY_S) {
            $request->session()->put(self::SEEN_AT, time());
            app(Background::class)->saw((string) $user->getAuthIdentifier());
        }
    }

    /** Of a user who moved and was then signed out everywhere no legacy session is good any more. */
    private function wereEnded(Request $request, Authenticatable $user): bool
    {
        $session = $request->session();
        if (time() - $session->get(self::LOOKED_AT, 0) < $this->settings->sessions_every_s) {
            return false;
        }
        try {
            $values = [$this->settings->source, (string) $user->getAuthIdentifier()];
            // Of the primary, not of a replica.
            $wereEnded = (bool) DB::selectOne(self::ENDED, $values, false);
        } catch (QueryException $error) {
            // The legacy side must not hang on our table.
            $this->counters->log(['event' => 'ended_sessions_unknown', 'error' => (string) $error->getCode()]);

            return false;
        }
        $wereEnded || $session->put(self::LOOKED_AT, time());

        return $wereEnded;
    }
}
