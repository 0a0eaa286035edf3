"""People who signed up at Auther get a row in the application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.core.emails import normalise
from migrator.core.texts import storable
from migrator.legacy.identity import ClaimedMeanwhileError
from migrator.legacy.users_write import fingerprint
from migrator.runner.writing_back.outcome import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.auther.plugin.events import Event
    from migrator.config.write_back import DefaultValue
    from migrator.legacy.users_write import UsersTable
    from migrator.legacy.written_back import WrittenBack
    from migrator.runner.writing_back.material import Material


class Newcomers:
    """Writes new rows; never takes one that is there, whatever its address.

    Args:
        log: The links.
        users: The users table.
        material: Opens sealed passwords.
        defaults: Values for columns that need one, by column.
    """

    def __init__(
        self,
        log: WrittenBack,
        users: UsersTable,
        material: Material,
        defaults: Mapping[str, DefaultValue],
    ) -> None:
        self._log = log
        self._users = users
        self._material = material
        self._defaults = defaults

    def add(self, event: Event, *, at: str) -> Verdict:
        """Write a row with its link, or say why not.

        Args:
            event: A sign-up whose user has no link.
            at: Now, ISO 8601 in UTC.
        """
        email = normalise(event.email or "")
        if not email or not storable(email) or not storable(event.name or ""):
            return Verdict(Outcome.NO_EMAIL)
        if self._users.is_known(email):
            return Verdict(Outcome.IDENTITY_UNLINKED)
        opened = self._material.open(event)
        if isinstance(opened, Verdict) and opened.outcome is Outcome.CANNOT_OPEN:
            return opened
        values = self._row(event, email, self._password(opened), at)
        missing = [c for c in self._users.needed_columns() if c not in values]
        if missing:
            return Verdict(Outcome.COLUMN_NEEDS_VALUE, ", ".join(missing))
        pk = self._insert(event.user_id, values)
        return Verdict(Outcome.ROW_BUSY) if pk is None else Verdict(_outcome(opened), pk=pk)

    def _insert(self, auther_id: str, values: Mapping[str, Any]) -> str | None:
        """Write row and link; None, and neither, when a login made a link meanwhile."""
        try:
            with self._log.attempt():
                pk = self._users.insert(values)
                row = self._users.hold(pk)
                known = fingerprint(row.password) if row else None
                self._log.add_link(auther_id, pk, fingerprint=known)
        except ClaimedMeanwhileError:
            return None
        return pk

    def _row(self, event: Event, email: str, password: str, at: str) -> dict[str, Any]:
        """Give values for columns that exist."""
        row, there = self._users.writable.row, self._users.columns.table.columns
        usual = self._users.new_values(
            auther_id=event.user_id,
            email=email,
            name=event.name,
            email_verified=event.email_verified,
            at=at,
        )
        extra = {c: v for c, v in self._defaults.items() if c in there}
        return {**extra, **usual, row.email: email, row.password: password}

    def _password(self, opened: str | Verdict) -> str:
        writable = self._users.writable
        if isinstance(opened, Verdict):
            return writable.unusable()
        return writable.stored(opened)


def _outcome(opened: str | Verdict) -> Outcome:
    if not isinstance(opened, Verdict):
        return Outcome.WRITTEN
    unsealed = opened.outcome is Outcome.SEALED_MISSING
    return Outcome.NO_PASSWORD if unsealed else opened.outcome
