<?php

namespace App\AutherCutover;

use Illuminate\Contracts\Auth\Authenticatable;

/** The decision table, without any input or output: who a request acts for. Start reading here. */
final class DecisionTable
{
    /**
     * @param  Authenticatable|bool|null  $session  Whom the application's own session names; true: somebody, and nobody asks
     *                                              any more whom.
     * @param  Finding  $finding  What came of Auther's credential.
     * @param  bool  $legacyIsOver  Stage `auther`, or `drain` after its deadline.
     * @param  bool  $handsForeignOn  The application's own authenticator takes foreign bearers on this path.
     */
    public static function decide(
        Authenticatable|bool|null $session,
        Finding $finding,
        bool $legacyIsOver,
        bool $handsForeignOn,
    ): Decision {
        $refused = fn (string $answer, bool $dropsCookie = false) => new Decision(
            'auther', 'refused', $finding->reason, $answer, dropsCookie: $dropsCookie,
        );

        return match (true) {
            $finding->kind === 'unavailable' => new Decision(
                'auther', 'unavailable', $finding->reason, 'verification_unavailable', finding: $finding,
            ),
            $finding->kind === 'valid' => self::valid($session, $finding, $legacyIsOver),
            $finding->kind === 'foreign' && $handsForeignOn => new Decision('foreign', 'accepted', $finding->reason),
            $finding->kind === 'foreign', $finding->kind === 'doubled' => new Decision(
                'foreign', 'refused', $finding->reason, 'foreign_bearer',
            ),
            // Never a fall-through to the session: a caller who names a credential means it.
            $finding->place === 'header' && $finding->kind === 'unlinked' => $refused('identity_unlinked'),
            $finding->place === 'header' && $finding->kind !== 'absent' => $refused('invalid_token'),
            // The session is not used in this request, whoever's it is; and it is not ended either.
            $finding->kind === 'unlinked' => $refused('identity_unlinked', dropsCookie: true),
            in_array($finding->kind, ['forged', 'disabled'], true) => $refused('login', dropsCookie: true),
            default => self::sessionAlone($session, $finding, $legacyIsOver),
        };
    }

    private static function valid(Authenticatable|bool|null $session, Finding $finding, bool $legacyIsOver): Decision
    {
        $person = $finding->person;
        $accepted = ['outcome' => 'accepted', 'user' => $person->user, 'credential' => $finding->place, 'finding' => $finding];
        if ($session === null) {
            return new Decision('auther', ...$accepted);
        }
        if ($legacyIsOver) {
            return new Decision('auther', ...$accepted, reason: 'legacy_stale', forgetsLegacy: true);
        }
        $sessionId = (string) $session->getAuthIdentifier();
        if ($sessionId === $person->userId) {
            return new Decision('both', ...$accepted);
        }
        $parties = array_map(fn ($id) => substr(hash('sha256', $id), 0, 12), [$sessionId, $person->userId]);
        $answer = $finding->place === 'header' ? 'auth_conflict' : 'conflict_page';

        return new Decision('both', 'refused', 'conflict', $answer, parties: $parties);
    }

    private static function sessionAlone(
        Authenticatable|bool|null $session,
        Finding $finding,
        bool $legacyIsOver,
    ): Decision {
        $drops = ['dropsCookie' => $finding->kind === 'stale'];
        if ($session === null) {
            $path = $finding->reason === Credentials::OTHER_SCHEME ? 'foreign' : 'none';

            return new Decision($path, 'anonymous', $finding->reason, ...$drops);
        }
        if ($legacyIsOver) {
            return new Decision('legacy', 'refused', 'legacy_refused', 'legacy_ended', ...$drops, forgetsLegacy: true);
        }

        return new Decision('legacy', 'accepted', ...$drops, user: $session, credential: 'session');
    }
}
