"""The application's database: who a `sub` is here, where their home is, who is alive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import DatabaseError

from .database import Database
from .model import AccountState, Person, VerificationUnavailableError
from .settings import SETTINGS, Settings

_PERSON = """
SELECT i.user_pk, i.auther_id, i.home, i.pinned_reason IS NOT NULL,
       extract(epoch FROM i.auth_valid_after)::float8,
       EXISTS (SELECT FROM migrator_tombstone t WHERE t.auther_id = i.auther_id AND t.until > now())
FROM migrator_identity i WHERE i.source = %s AND
"""
_BY_AUTHER_ID = f"{_PERSON} i.auther_id = %s"
_BY_USER_PK = f"{_PERSON} i.user_pk = %s"
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


def account_state(user: AbstractBaseUser) -> AccountState:
    """Judge an account as Django does; name a function of your own in AUTHER_ACCOUNT_STATE."""
    return AccountState.ACTIVE if user.is_active else AccountState.LOCKED


class PostgresPeople:
    """Looks people up in the application's database, and keeps there what no cookie can hold.

    Args:
        judge: Says what an account's state is.
    """

    def __init__(
        self, settings: Settings = SETTINGS, *, judge: Callable[[Any], AccountState] = account_state
    ) -> None:
        self._database = Database()
        self._source = settings.source
        self._judge = judge
        self._process: Mapping[str, Any] | None = None

    def by_auther_id(self, auther_id: str) -> Person | None:
        """Give the person that a `sub` is linked to. Never looks at e-mail addresses."""
        return self._person(_BY_AUTHER_ID, auther_id)

    def by_user_pk(self, user_pk: str) -> Person | None:
        """Give the person with this key."""
        return self._person(_BY_USER_PK, user_pk)

    def create(self, claims: Mapping[str, Any]) -> str:
        """Make a row and link it, in one transaction; at once or not, there will be one row."""
        email = str(claims["email"]).strip().lower()
        verified = claims.get("email_verified") is True
        name = str(claims.get("name") or "")
        values = (self._source, claims["sub"], email, name, verified)
        row = self._database.ask(_CREATE, values)
        return str(row[0]) if row else ""

    def signed_in(self, auther_id: str, *, moves_home: bool) -> None:
        """Note a login at Auther, and in the same statement where the home is from now on."""
        self._database.ask(_SIGNED_IN, (moves_home, auther_id, self._source))

    def not_written_back(self, auther_id: str) -> bool:
        """Tell whether a change made at Auther has not reached this side yet."""
        there = self._database.ask(_HAS_WRITE_BACK, ())
        if not there or not there[0]:
            return False
        row = self._database.ask(_NOT_WRITTEN_BACK, (auther_id,))
        return bool(row and row[0])

    def shadow_checked(self, user_pk: str, *, matched: bool, reason: str) -> None:
        """Note what Auther said to a password that was right here."""
        self._database.ask(_SHADOW, (self._source, user_pk, matched, reason))

    def keep(self, handle_hash: str, sealed: str, expires_at_s: float) -> None:
        """Store a sealed token and delete those that have ended."""
        self._database.ask(_KEEP, (handle_hash, sealed, expires_at_s))

    def find(self, handle_hash: str) -> str | None:
        """Give a sealed token that has not ended."""
        row = self._database.ask(_FIND, (handle_hash,))
        return None if row is None else str(row[0])

    def discard(self, handle_hash: str) -> None:
        """Delete a sealed token."""
        self._database.ask(_DISCARD, (handle_hash,))

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

    def process_began(self, process: Mapping[str, Any]) -> bool:
        """Write a process down, or take back its end; say whether there is a place for it."""
        may_write = self._database.ask(_MAY_WRITE_PROCESSES, ())
        if not may_write or not may_write[0]:
            return False
        self._database.ask(_BEGAN, process)
        self._process = process
        return True

    def process_ended(self, process: Mapping[str, Any], counts: str) -> None:
        """Write down its end."""
        self._database.ask(_ENDED, {**process, "counts": counts})

    def _person(self, query: str, key: str) -> Person | None:
        row = self._database.ask(query, (self._source, key))
        if row is None:
            return None
        user_pk, auther_id, home, pinned, valid_after_s, buried = row
        account = _account(user_pk)
        state = AccountState.DELETED if account is None or buried else self._judge(account)
        return Person(user_pk, auther_id, home, pinned, valid_after_s, state, account)


def _account(user_pk: str) -> Any:
    try:
        return get_user_model()._default_manager.filter(pk=user_pk).first()
    except (ValueError, ValidationError):
        # No key of this model: '2abc' is nobody, never user 2.
        return None
    except DatabaseError:
        raise VerificationUnavailableError("database", 1) from None
