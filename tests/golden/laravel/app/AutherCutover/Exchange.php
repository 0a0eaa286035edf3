<?php

namespace App\AutherCutover;

use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Http\Request;
use Symfony\Component\HttpFoundation\Response;

/**
 * From a session here to one at Auther without a password, for who is on the way to a page. Two hops, since both are other
 * sites to the browser: for a nonce to Auther and back, then with a ticket to Auther and on into the code flow. Whatever
 * fails, the person goes on with the session that is there.
 */
final class Exchange
{
    public const PATH = '/auth/auther/exchange';
    private const PAUSE = 'auther_exchange_pause';
    private const PAUSE_S = 600;
    private const TIMEOUT_S = 2;

    public function __construct(
        private readonly Settings $settings,
        private readonly Attempts $attempts,
        private readonly LegacySessions $sessions,
        private readonly People $people,
        private readonly Plugin $plugin,
        private readonly Cookies $cookies,
        private readonly Counters $counters,
    ) {
    }

    /** Sends the browser to Auther if this user may come there; null: the application answers. */
    public function offer(Request $request, StageView $view, Authenticatable $user): ?Response
    {
        if (! $this->isOpen($view) || ! $this->isDue($request)) {
            return null;
        }
        try {
            $person = $this->people->linked((string) $user->getAuthIdentifier());
        } catch (Unavailable) {
            return null;
        }
        if (! $person || $person->pinned || $person->isDisabled()) {
            return null;
        }
        $returnTo = Answers::safeReturnPath($request->getRequestUri(), $this->settings->after_login);
        $attempt = $this->attempts->start($returnTo, ['exchange' => $person->userId]);
        // Set now and dropped when it worked out: whatever goes wrong at Auther must not come back in a circle.
        $this->cookies->set(self::PAUSE, '1', self::PAUSE_S);
        $this->counters->add('auth_exchanges_total', ['result' => 'started']);
        $query = http_build_query([
            'client_id' => $this->settings->client_id,
            'to' => $this->settings->origin().self::PATH,
            'state' => $attempt['state'],
        ]);

        return Answers::seeOther("{$this->settings->plugin_url}/exchange/start?$query");
    }

    /** The second hop: back from Auther with the nonce's hash. The stage may have moved on meanwhile. */
    public function resume(Request $request, StageView $view, array $attempt): Response
    {
        if (! $this->isOpen($view)) {
            return $this->giveUp($attempt, 'stage');
        }
        try {
            $query = http_build_query(['ticket' => $this->ticket($request, $attempt)] + $this->attempts->query($attempt));

            return Answers::seeOther("{$this->settings->plugin_url}/exchange/redeem?$query");
        } catch (Unavailable $outage) {
            return $this->giveUp($attempt, $outage->status ? 'refused' : 'unavailable');
        }
    }

    /** Back to the page, on the legacy session; the pause has begun with the exchange. */
    public function giveUp(array $attempt, string $reason): Response
    {
        $this->counters->log(['event' => 'auther_exchange_failed', 'reason' => $reason]);
        $result = $reason === 'other_user' ? $reason : 'failed';
        $this->counters->add('auth_exchanges_total', ['result' => $result]);

        return Answers::seeOther(Answers::safeReturnPath($attempt['return_to'], $this->settings->after_login));
    }

    public function succeeded(): void
    {
        $this->counters->add('auth_exchanges_total', ['result' => 'ok']);
        $this->cookies->drop(self::PAUSE);
    }

    /** Whether sessions are exchanged in this stage at all. */
    public static function isFor(StageView $view, Settings $settings): bool
    {
        return $view->stage === 'drain' || ($view->stage === 'dual' && $settings->exchange_in_dual);
    }

    private function isOpen(StageView $view): bool
    {
        return self::isFor($view, $this->settings) && ! $view->legacyIsOver()
            && $this->plugin->has($this->settings->exchange_secret);
    }

    private function isDue(Request $request): bool
    {
        $isFree = fn ($name) => ! Credentials::cookieValues($request, $this->settings->cookieName($name));

        return $request->getRealMethod() === 'GET' && Answers::isNavigation($request)
            && $isFree(self::PAUSE) && $isFree(Credentials::ID_TOKEN);
    }

    /** @throws Unavailable */
    private function ticket(Request $request, array $attempt): string
    {
        // The session may have ended, or become somebody else's, in the meantime.
        $user = $this->sessions->guard()->legacyUser();
        $isSame = $user && (string) $user->getAuthIdentifier() === $attempt['exchange'];
        $person = $isSame ? $this->people->linked($attempt['exchange']) : null;
        if (! $person) {
            throw new Unavailable('the session is another one', status: 409);
        }
        $answer = $this->plugin->post('exchange/ticket', $this->settings->exchange_secret, [
            'id' => $person->autherId,
            'client_id' => $this->settings->client_id,
            'nonce_hash' => (string) $request->query('nonce_hash'),
            'code_challenge' => Attempts::challengeOf($attempt),
        ], self::TIMEOUT_S);

        return (string) ($answer['ticket'] ?? '');
    }
}
