"""The application's database: who a `sub` is here, where their home is, who is alive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from .database import Database
from .model import AccountState, Person
from .settings import SETTINGS, Settings

_PERSON = """
SELECT i.user_pk, i.auther_id, i.home, i.pinned_reason IS NOT NULL,
       extract(epoch FROM i.auth_valid_after)::float8,
       EXISTS (SELECT FROM migrator_tombstone t WHERE t.auther_id = i.auther_id AND t.until > now())
FROM migrator_identity i WHERE i.source = %s AND
"""
_BY_AUTHER_ID = f"{_PERSON} i.auther_id = %s"
_BY_USER_PK = f"{_PERSON} i.user_pk = %s"
# Through jsonb, so that a column that this application does not have (or that phase 4 removed) is
# simply not there. The key is compared in the column's own type: '2abc' is an error, never user 2.
_ACCOUNT = """
SELECT (row.j ->> 'locked_at'), (row.j ->> 'failed_attempts'), (row.j ? 'confirmed_at'),
       (row.j ->> 'confirmed_at'), (row.j ->> 'deleted_at')
FROM "public"."users" u, LATERAL (SELECT to_jsonb(u) AS j) row WHERE u."id" = %s
"""
_CREATE = "SELECT outcome FROM migrator_new_user(%s, %s, %s, %s, %s)"
_SIGNED_IN = """
UPDATE migrator_identity SET last_auther_at = now(),
       home = CASE WHEN %s THEN 'auther' ELSE home END
WHERE auther_id = %s AND source = %s
"""
_KEEP = """
WITH ended AS (DELETE FROM migrator_token WHERE expires_at <= now())
INSERT INTO migrator_token (handle_hash, sealed, expires_at) VALUES (%s, %s, to_timestamp(%s))
"""
_FIND = "SELECT sealed FROM migrator_token WHERE handle_hash = %s AND expires_at > now()"
_DISCARD = "DELETE FROM migrator_token WHERE handle_hash = %s"
_HAS_WRITE_BACK = "SELECT to_regclass('migrator_write_back') IS NOT NULL"
_NOT_WRITTEN_BACK = """
SELECT EXISTS (SELECT FROM migrator_write_back
               WHERE auther_id = %s AND (state <> 'done' OR acknowledged_at IS NULL))
"""
_SHADOW = """
INSERT INTO migrator_shadow (source, user_pk, matched, reason) VALUES (%s, %s, %s, %s)
ON CONFLICT (source, user_pk) DO UPDATE SET matched = excluded.matched, reason = excluded.reason,
       checks = migrator_shadow.checks + 1, seen_at = now()
"""
_SIGNED_OUT = """
SELECT coalesce(array_agg(user_pk), '{}') FROM migrator_identity
WHERE source = %s AND home = 'auther' AND auth_valid_after IS NOT NULL
"""
_SEEN = """
UPDATE migrator_identity SET last_legacy_at = now() WHERE source = %s AND user_pk = %s
"""
_MAY_WRITE_PROCESSES = """
SELECT coalesce(bool_and(has_table_privilege(to_regclass('migrator_process'), p.kind)), false)
FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p (kind)
"""
# The newest sign of this name: a process of it that is not written down would show.
_BEGAN = """
WITH old AS (DELETE FROM migrator_process WHERE seen_at < now() - interval '10 days')
INSERT INTO migrator_process (instance, started_at, pid, heard_at)
VALUES (%(instance)s, %(started_at)s, %(pid)s,
        (SELECT seen_at FROM migrator_instance WHERE instance = %(instance)s))
ON CONFLICT (instance, started_at, pid)
DO UPDATE SET seen_at = clock_timestamp(), ended_at = NULL, counts = NULL
"""
_RUNS = """
UPDATE migrator_process SET seen_at = clock_timestamp()
WHERE instance = %(instance)s AND started_at = %(started_at)s AND pid = %(pid)s
"""
_ENDED = """
UPDATE migrator_process SET ended_at = clock_timestamp(), counts = %(counts)s
WHERE instance = %(instance)s AND started_at = %(started_at)s AND pid = %(pid)s
"""
_BEAT = """
INSERT INTO migrator_instance
       (instance, build, baked, stage, epoch, source, legacy_capable, seen_at)
VALUES (%(instance)s, %(build)s, %(baked)s, %(stage)s, %(epoch)s, %(origin)s,
        true, now())
ON CONFLICT (instance) DO UPDATE SET build = excluded.build, baked = excluded.baked,
       stage = excluded.stage, epoch = excluded.epoch, source = excluded.source,
       legacy_capable = excluded.legacy_capable, seen_at = excluded.seen_at
"""


@dataclass(frozen=True)
class Account:
    """What decides about an account; times as PostgreSQL writes them into JSON, None when unset."""

    locked_at: str | None
    failed_attempts: str | None
    confirmable: bool
    confirmed_at: str | None
    deleted_at: str | None


def devise_state(
    account: Account,
    now: datetime,
    *,
    unlock_in: timedelta | None = timedelta(hours=1),
    maximum_attempts: int = 20,
) -> AccountState:
    """Judge an account as Devise would; pass your own numbers, or a function of your own.

    Args:
        unlock_in: Devise's `unlock_in`, None when only an e-mail or a person unlocks.
        maximum_attempts: Devise's `maximum_attempts`.
    """
    if account.deleted_at is not None:
        return AccountState.DELETED
    if account.confirmable and account.confirmed_at is None:
        return AccountState.UNCONFIRMED
    if account.locked_at is None or _is_past(account.locked_at, unlock_in, now):
        return AccountState.ACTIVE
    by_attempts = int(account.failed_attempts or 0) >= maximum_attempts
    return AccountState.LOCKED_BY_ATTEMPTS if by_attempts else AccountState.LOCKED


def _is_past(locked_at: str, unlock_in: timedelta | None, now: datetime) -> bool:
    if unlock_in is None or locked_at == "infinity":
        return False
    # Rails keeps UTC in columns without a zone.
    at = datetime.fromisoformat(locked_at)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)) + unlock_in <= now


class PostgresPeople:
    """Looks people up in the application's database, and keeps there what no cookie can hold.

    Args:
        dsn: Of the primary, not of a replica.
        judge: Turns the account's columns into its state.
        timeout_s: After this long without an answer the request gets a 503.
    """

    def __init__(
        self,
        dsn: str,
        *,
        settings: Settings = SETTINGS,
        judge: Callable[[Account, datetime], AccountState] = devise_state,
        timeout_s: float = 3,
        threads: int = 8,
    ) -> None:
        self._database = Database(dsn, timeout_s=timeout_s, threads=threads)
        self._source = settings.source
        self._judge = judge
        self._process: Mapping[str, Any] | None = None

    async def by_auther_id(self, auther_id: str) -> Person | None:
        """Give the person that a `sub` is linked to. Never looks at e-mail addresses."""
        return await self._person(_BY_AUTHER_ID, auther_id)

    async def by_user_pk(self, user_pk: str) -> Person | None:
        """Give the person with this key."""
        return await self._person(_BY_USER_PK, user_pk)

    async def create(self, claims: Mapping[str, Any]) -> str:
        """Make a row and link it, in one transaction; at once or not, there will be one row."""
        email = str(claims["email"]).strip().lower()
        verified = claims.get("email_verified") is True
        name = str(claims.get("name") or "")
        values = (self._source, claims["sub"], email, name, verified)
        row = await self._database.ask(_CREATE, values)
        return str(row[0]) if row else ""

    async def signed_in(self, auther_id: str, *, moves_home: bool) -> None:
        """Note a login at Auther, and in the same statement where the home is from now on."""
        await self._database.ask(_SIGNED_IN, (moves_home, auther_id, self._source))

    async def not_written_back(self, auther_id: str) -> bool:
        """Tell whether a change made at Auther has not reached this side yet."""
        there = await self._database.ask(_HAS_WRITE_BACK, ())
        if not there or not there[0]:
            return False
        row = await self._database.ask(_NOT_WRITTEN_BACK, (auther_id,))
        return bool(row and row[0])

    async def shadow_checked(self, user_pk: str, *, matched: bool, reason: str) -> None:
        """Note what Auther said to a password that was right here."""
        await self._database.ask(_SHADOW, (self._source, user_pk, matched, reason))

    async def keep(self, handle_hash: str, sealed: str, expires_at_s: float) -> None:
        """Store a sealed token and delete those that have ended."""
        await self._database.ask(_KEEP, (handle_hash, sealed, expires_at_s))

    async def find(self, handle_hash: str) -> str | None:
        """Give a sealed token that has not ended."""
        row = await self._database.ask(_FIND, (handle_hash,))
        return None if row is None else str(row[0])

    async def discard(self, handle_hash: str) -> None:
        """Delete a sealed token."""
        await self._database.ask(_DISCARD, (handle_hash,))

    def seen_on_legacy(self, user_pk: str) -> None:
        """Note when somebody last used a legacy session. Called on the background thread."""
        self._database.run(_SEEN, (self._source, user_pk))

    def signed_out_everywhere(self) -> frozenset[str]:
        """Give the moved users whose legacy sessions have ended. On the background thread."""
        row = self._database.run(_SIGNED_OUT, (self._source,))
        return frozenset(row[0]) if row else frozenset()

    def beat(self, facts: Mapping[str, Any]) -> None:
        """Say that this instance lives and which stage it sees. On the background thread."""
        self._database.run(_BEAT, facts)
        if self._process is not None:
            self._database.run(_RUNS, self._process)

    async def process_began(self, process: Mapping[str, Any]) -> bool:
        """Write a process down, or take back its end; say whether there is a place for it."""
        may_write = await self._database.ask(_MAY_WRITE_PROCESSES, ())
        if not may_write or not may_write[0]:
            return False
        await self._database.ask(_BEGAN, process)
        self._process = process
        return True

    async def process_ended(self, process: Mapping[str, Any], counts: str) -> None:
        """Write down its end."""
        await self._database.ask(_ENDED, {**process, "counts": counts})

    async def _person(self, query: str, key: str) -> Person | None:
        row = await self._database.ask(query, (self._source, key))
        if row is None:
            return None
        user_pk, auther_id, home, pinned, valid_after_s, buried = row
        columns = await self._database.ask(_ACCOUNT, (user_pk,))
        state = AccountState.DELETED
        if columns is not None and not buried:
            state = self._judge(Account(*columns), datetime.now(UTC))
        return Person(user_pk, auther_id, home, pinned, valid_after_s, state)
