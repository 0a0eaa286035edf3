<?php

namespace App\AutherCutover;

use Illuminate\Contracts\Foundation\Application;
use Illuminate\Database\QueryException;
use Throwable;

/**
 * Passwords at the legacy doors: of who moved, Auther's copy is the right one; of who did not, the legacy copy is, and
 * Auther's is compared behind the answer. Where Auther has none, or one that it cannot verify, it may be given this one.
 */
final class Passwords
{
    private const TIMEOUT_S = 1;
    private const UNDEFINED_TABLE = '42P01';
    private const REASONS = ['no_credential', 'banned', 'unverified', 'unknown_scheme', 'pepper_missing', 'not_ours'];
    private const WITHOUT_PASSWORD = ['no_credential', 'unknown_scheme'];
    private const UNFINISHED = <<<'SQL'
        SELECT 1 FROM "public".migrator_write_back
        WHERE auther_id = ? AND (state <> 'done' OR acknowledged_at IS NULL) LIMIT 1
        SQL;
    private const RECORD = <<<'SQL'
        INSERT INTO "public".migrator_shadow (source, user_pk, matched, reason) VALUES (?, ?, ?::boolean, ?)
        ON CONFLICT (source, user_pk) DO UPDATE SET matched = excluded.matched, reason = excluded.reason,
          checks = migrator_shadow.checks + 1, seen_at = now()
        SQL;

    public function __construct(
        private readonly Settings $settings,
        private readonly StageReader $stage,
        private readonly People $people,
        private readonly Plugin $plugin,
        private readonly Background $background,
        private readonly Counters $counters,
        private readonly Application $app,
    ) {
    }

    /**
     * The person whose password is at Auther, null when it is here. In stage `legacy` homes do not count, except for who
     * changed something at Auther that is not written back yet; after a compromise Auther is asked nothing.
     */
    public function keptAtAuther(string $userId): ?Person
    {
        $person = $this->people->linked($userId);
        if ($person?->home !== 'auther' || $person->pinned) {
            return null;
        }

        $view = $this->stage->now();
        $counts = $view->stage !== 'legacy' || ($view->acceptsAuther() && $this->isUnfinished($person));

        return $counts ? $person : null;
    }

    /** @throws Unavailable Auther does not answer: the password is not taken. */
    public function isRightAtAuther(Person $person, string $password): bool
    {
        return ($this->verdict($person, $password)['valid'] ?? null) === true;
    }

    /**
     * Asks Auther whether a password that was just right would sign in there too, so that a wrong pepper shows before anybody
     * depends on it. Behind the answer: it delays and decides nothing. The password lives two seconds longer for it, at most, and
     * in this process alone.
     */
    public function shadow(string $userId, string $password): void
    {
        if ($this->plugin->has($this->settings->verify_secret)) {
            $this->app->terminating(function () use ($userId, $password) {
                try {
                    // After a compromise Auther is asked nothing.
                    $person = $this->stage->now()->acceptsAuther() ? $this->people->linked($userId) : null;
                    $result = $person && ! $person->pinned && $person->home === 'legacy'
                        ? $this->compare($person, $password) : null;
                } catch (Throwable) {
                    $result = 'error';
                }
                $result && $this->counters->add('auth_shadow_checks_total', ['result' => $result]);
            });
        }
    }

    private function compare(Person $person, string $password): string
    {
        $answer = $this->verdict($person, $password);
        $reason = in_array($answer['reason'] ?? null, self::REASONS, true) ? $answer['reason'] : '';
        $matches = ($answer['valid'] ?? null) === true || $this->capture($person, $password, $reason);
        $this->background->side()->statement(
            self::RECORD, [$this->settings->source, $person->userId, $matches ? 'true' : 'false', $matches ? '' : $reason],
        );

        return $matches ? 'match' : 'mismatch';
    }

    /** Gives Auther a password that it lacks, once; whether it has it from now on. */
    private function capture(Person $person, string $password, string $reason): bool
    {
        $secret = $this->settings->capture_secret;
        if (! in_array($reason, self::WITHOUT_PASSWORD, true) || ! $this->plugin->has($secret)) {
            return false;
        }
        try {
            $outcome = $this->ask('capture', $secret, $person, $password)['outcome'] ?? null;
            $result = $outcome === 'captured' ? 'captured' : 'left';
        } catch (Unavailable) {
            $result = 'failed';
        }
        $this->counters->add('auth_captures_total', ['result' => $result]);

        return $result === 'captured';
    }

    private function verdict(Person $person, string $password): array
    {
        return $this->ask('verify', $this->settings->verify_secret, $person, $password);
    }

    private function ask(string $path, string $secret, Person $person, string $password): array
    {
        return $this->plugin->post($path, $secret, ['id' => $person->autherId, 'password' => $password], self::TIMEOUT_S);
    }

    private function isUnfinished(Person $person): bool
    {
        try {
            return (bool) $this->background->side()->selectOne(self::UNFINISHED, [$person->autherId]);
        } catch (QueryException $error) {
            // The table is there once something was to be written back.
            return $error->getCode() === self::UNDEFINED_TABLE
                ? false : throw new Unavailable('the database does not answer', 1);
        }
    }
}
