"""The client's row and the consents for it, by SQL."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from migrator.auther.live.client.interface import Row
from migrator.auther.ways.database import Run
from migrator.core import ids
from migrator.core.queries import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.auther.interface import Stored
    from migrator.auther.ways.sql_target import SqlTarget

_QUERIES = load("migrator.auther.live.client", "database.sql")
# What the shims ask for; better-auth keeps a consent's scopes as this text.
SCOPES = "openid profile email"
_CONSENT = "oauth_consent"


class DatabaseRows:
    """Rows of a database file or a libSQL server."""

    def __init__(self, target: SqlTarget, client_id: str, *, mark: bytes) -> None:
        """Take the opened target.

        Args:
            target: Auther's database.
            client_id: Whose row.
            mark: What `ids.mark_key` gives; it tells users of this migration.
        """
        self.client_id = client_id
        self._target = target
        self._mark = mark

    def read(self) -> Row | None:  # noqa: D102
        rows = self._target.database.ask(Run(_QUERIES["client"], [self.client_id]))[0]
        return Row(*rows[0]) if rows else None

    def write(self, before: Row | None, after: Row) -> bool:  # noqa: D102
        step = self._insert(after) if before is None else self._update(before, after)
        return self._target.database.write([step])[0] == [1]

    def add_consents(self, users: Sequence[str], *, now_ms: int) -> int:  # noqa: D102
        consents = json.dumps([[self._consent_id(user), user] for user in self._ours(users)])
        values = (self.client_id, SCOPES, now_ms, now_ms, consents, self.client_id)
        return self._run(Run(_QUERIES["add_consents"], values))

    def remove_consents(self, users: Sequence[str]) -> int:  # noqa: D102
        made = [self._consent_id(user) for user in self._ours(users)]
        return self._run(Run(_QUERIES["remove_consents"], [json.dumps(made)]))

    def _run(self, step: Run) -> int:
        return sum(self._target.database.write([step])[0] or ())

    def _insert(self, row: Row) -> Run:
        columns = (row.name, self.client_id, row.redirect_ur_ls, row.type, row.disabled)
        # client_id in the id keeps two runs from making two rows.
        return Run(
            _QUERIES["insert_client"],
            (f"migrator-{self.client_id}", *columns, row.updated_at, row.updated_at),
        )

    def _update(self, before: Row, after: Row) -> Run:
        written = (after.name, after.redirect_ur_ls, after.type, after.disabled, after.updated_at)
        read = before[: Row._fields.index("has_secret")]
        return Run(_QUERIES["update_client"], (*written, self.client_id, *read))

    def _ours(self, users: Sequence[str]) -> list[str]:
        """Name those whom this migration wrote, and who have no other role."""
        plain = [one for one in self._target.read(users).values() if not one.is_privileged]
        found = [one.user.id for one in plain if self._has_mark(one)]
        others = {one.user.id for one in plain}.difference(found)
        rest = {f"migrator:user:{user_id}": user_id for user_id in others}
        if rest:
            query = Run(_QUERIES["marked"], [json.dumps(list(rest))])
            found += [rest[identifier] for (identifier,) in self._target.database.ask(query)[0]]
        return found

    def _has_mark(self, stored: Stored) -> bool:
        return any(
            account.id
            == ids.account_id(
                self._mark,
                owner=account.user_id,
                provider=account.provider_id,
                subject=account.account_id,
            )
            for account in stored.accounts
        )

    def _consent_id(self, user: str) -> str:
        return ids.account_id(self._mark, owner=user, provider=_CONSENT, subject=self.client_id)
