"""The application's database: who a `sub` is here, who is alive."""

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
_CREATE = "SELECT outcome FROM migrator_new_user(%s, %s, %s, %s, %s)"
_SIGNED_IN = """
UPDATE migrator_identity SET last_auther_at = now()
WHERE auther_id = %s AND source = %s
"""
_KEEP = """
WITH ended AS (DELETE FROM migrator_token WHERE expires_at <= now())
INSERT INTO migrator_token (handle_hash, sealed, expires_at) VALUES (%s, %s, to_timestamp(%s))
"""
_FIND = "SELECT sealed FROM migrator_token WHERE handle_hash = %s AND expires_at > now()"
_DISCARD = "DELETE FROM migrator_token WHERE handle_hash = %s"
_BEAT = """
INSERT INTO migrator_instance
       (instance, build, baked, stage, epoch, source, legacy_capable, seen_at)
VALUES (%(instance)s, %(build)s, %(baked)s, %(stage)s, %(epoch)s, %(origin)s,
        false, now())
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

    def by_auther_id(self, auther_id: str) -> Person | None:
        """Give the person that a `sub` is linked to. Never looks at e-mail addresses."""
        return self._person(_BY_AUTHER_ID, auther_id)

    def create(self, claims: Mapping[str, Any]) -> str:
        """Make a row and link it, in one transaction; at once or not, there will be one row."""
        email = str(claims["email"]).strip().lower()
        verified = claims.get("email_verified") is True
        name = str(claims.get("name") or "")
        values = (self._source, claims["sub"], email, name, verified)
        row = self._database.ask(_CREATE, values)
        return str(row[0]) if row else ""

    def signed_in(self, auther_id: str) -> None:
        """Note a login at Auther."""
        self._database.ask(_SIGNED_IN, (auther_id, self._source))

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

    def beat(self, facts: Mapping[str, Any]) -> None:
        """Say that this instance lives, and that it has no legacy side."""
        self._database.run(_BEAT, facts)

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
