<?php

namespace App\AutherCutover;

use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Contracts\Auth\UserProvider;
use Illuminate\Database\QueryException;
use Illuminate\Support\Facades\Auth;
use Illuminate\Support\Facades\DB;

/**
 * The application's database: who a `sub` is here. Looked up on every request with a credential of Auther: a sign-out must
 * hold at once. The tables are the migrator's; nothing here creates any.
 */
final class People
{
    private const FIND = <<<'SQL'
        SELECT i.user_pk, i.home, i.pinned_reason IS NOT NULL AS pinned,
               extract(epoch FROM i.auth_valid_after)::float8 AS valid_after_s, t.auther_id IS NOT NULL AS buried
        FROM (VALUES (?::text)) AS asked (auther_id)
        LEFT JOIN "public".migrator_identity i ON i.auther_id = asked.auther_id AND i.source = ?
        LEFT JOIN "public".migrator_tombstone t ON t.auther_id = asked.auther_id AND t.until > now()
        SQL;
    private const LINKED = <<<'SQL'
        SELECT auther_id, user_pk, home, pinned_reason IS NOT NULL AS pinned,
               extract(epoch FROM auth_valid_after)::float8 AS valid_after_s
        FROM "public".migrator_identity WHERE source = ? AND user_pk = ?
        SQL;
    private const CREATE = 'SELECT outcome, user_pk FROM "public".migrator_new_user(?, ?, ?, ?, ?)';
    private const SIGNED_IN = <<<'SQL'
        UPDATE "public".migrator_identity
        SET last_auther_at = now(), home = CASE WHEN ?::boolean THEN 'auther' ELSE home END
        WHERE source = ? AND auther_id = ?
        SQL;

    private ?UserProvider $users = null;

    public function __construct(
        private readonly Settings $settings,
        private readonly AccountState $states,
        private readonly Counters $counters,
    ) {
    }

    /**
     * Gives the person of verified claims. Never looks at e-mail addresses.
     *
     * @param  bool  $creates  Who is new gets a user, if the settings say so.
     * @return Person|string|null null: nobody is linked; 'disabled': deleted at Auther.
     *
     * @throws Unavailable The database does not answer.
     */
    public function resolve(array $claims, bool $creates = true): Person|string|null
    {
        $found = $this->one(self::FIND, [$claims['sub'], $this->settings->source]);
        if ($found->buried) {
            return 'disabled';
        }
        if ($found->user_pk !== null) {
            return $this->person($claims['sub'], $found);
        }
        $mayCreate = $creates && $this->settings->create_users && is_string($claims['email'] ?? null);

        return $mayCreate ? $this->create($claims) : null;
    }

    /** What links one of our users, null when nothing does. */
    public function linked(string $userId): ?Person
    {
        $row = $this->one(self::LINKED, [$this->settings->source, $userId]);

        return $row ? $this->person($row->auther_id, $row) : null;
    }

    /** Notes a login at Auther, and moves the user's home there if asked. */
    public function signedIn(Person $person, bool $moves): void
    {
        $this->one(self::SIGNED_IN.' RETURNING auther_id', [
            $moves ? 'true' : 'false', $this->settings->source, $person->autherId,
        ]);
    }

    /** One of our users as the application knows them, whom it would let in or not. */
    public function user(string $userId): ?Authenticatable
    {
        $this->users ??= Auth::createUserProvider(config("auth.guards.{$this->settings->guard}.provider"));

        return $this->users->retrieveById($userId);
    }

    /** @throws Unavailable */
    public function one(string $sql, array $values): ?object
    {
        try {
            return DB::selectOne($sql, $values, false);
        } catch (QueryException $error) {
            // The code only: the message holds the values.
            $this->counters->log(['event' => 'auther_database_error', 'error' => (string) $error->getCode()]);
            throw new Unavailable('the database does not answer', 1);
        }
    }

    private function person(string $autherId, object $row): Person
    {
        $user = $this->user($row->user_pk);
        $validAfterS = $row->valid_after_s === null ? null : (float) $row->valid_after_s;
        $state = $user ? $this->states->of($user) : 'deleted';

        return new Person($row->user_pk, $autherId, $row->home, $row->pinned, $validAfterS, $state, $user);
    }

    private function create(array $claims): Person|string|null
    {
        $name = $claims['name'] ?? null;
        $made = $this->one(self::CREATE, [
            $this->settings->source, $claims['sub'], mb_strtolower($claims['email']), is_string($name) ? $name : '',
            ($claims['email_verified'] ?? null) === true ? 'true' : 'false',
        ]);
        $this->counters->add('auth_jit_total', ['result' => $made->outcome]);
        if ($made->outcome === 'tombstone') {
            return 'disabled';
        }
        if ($made->outcome === 'column_needs_value') {
            $this->counters->log(['event' => 'auther_user_not_created', 'reason' => $made->outcome]);
        }

        return $made->user_pk === null ? null
            : $this->person($claims['sub'], $this->one(self::FIND, [$claims['sub'], $this->settings->source]));
    }
}
