"""The canaries' rows in the application's database; nobody else's is ever touched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from migrator.core.clock import iso, parse_iso
from migrator.core.queries import load
from migrator.core.sql import ident, qualified
from migrator.legacy.connect import Connection, compose, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from migrator.config.model import LegacySection


@dataclass(frozen=True)
class Row:
    """A canary's identity as it was."""

    pk: str
    auther_id: str
    home: str
    pinned_reason: str | None
    auth_valid_after: datetime | None

    def as_kept(self) -> list[str | None]:
        """Give what a checkpoint keeps."""
        after = iso(self.auth_valid_after) if self.auth_valid_after else None
        return [self.pk, self.auther_id, self.home, self.pinned_reason, after]

    @classmethod
    def from_kept(cls, kept: Sequence[Any]) -> Row:
        """Read what `as_kept` gave."""
        pk, auther_id, home, pinned_reason, after = kept
        return cls(pk, auther_id, home, pinned_reason, parse_iso(after) if after else None)


@dataclass
class CanaryRows:
    """Reads, changes and puts back."""

    connection: Connection
    legacy: LegacySection
    _newcomers: set[str] = field(default_factory=set)
    _buried: set[str] = field(default_factory=set)

    def find(self, pks: Iterable[str]) -> dict[str, Row]:
        """Give the identities of users, by their keys."""
        return {row[0]: Row(*row) for row in self._ask("canaries", pks=list(pks))}

    def moved(self, pks: Iterable[str]) -> int:
        """Count who moved to Auther and is none of these."""
        return int(self._ask("moved", pks=list(pks))[0][0])

    def put_back(self, rows: Iterable[Row]) -> None:
        """Give canaries their rows as they were, and forget whom the suite made up."""
        kept = tuple(rows)
        self._do(
            "put_back",
            pks=[row.pk for row in kept],
            homes=[row.home for row in kept],
            reasons=[row.pinned_reason for row in kept],
            afters=[row.auth_valid_after for row in kept],
        )
        while self._newcomers:
            self._do("forget_newcomer", auther_id=self._newcomers.pop())
        while self._buried:
            self._do("exhume", auther_id=self._buried.pop())

    def change(
        self,
        pk: str,
        *,
        home: str | None,
        pinned_reason: str | None,
        auth_valid_after: datetime | None,
    ) -> None:
        """Change a row; None leaves a column as it is."""
        self._do(
            "change",
            pk=pk,
            home=home,
            pinned_reason=pinned_reason,
            auth_valid_after=auth_valid_after,
        )

    def home(self, pk: str) -> str:
        """Give where a user's home is."""
        return str(self._ask("home", pk=pk)[0][0])

    def users_of(self, auther_id: str) -> tuple[str, ...]:
        """Give the users that a made-up Auther id is linked to; they go with `put_back`."""
        self._newcomers.add(auther_id)
        return tuple(pk for (pk,) in self._ask("users_of", auther_id=auther_id))

    def bury(self, auther_id: str) -> None:
        """Note that an Auther id was deleted there, until `put_back`."""
        self._buried.add(auther_id)
        self._do("bury", auther_id=auther_id)

    def _ask(self, name: str, **params: Any) -> list[tuple[Any, ...]]:
        with wrapped("the canaries' rows"):
            found: list[tuple[Any, ...]] = self._execute(name, params).fetchall()
            return found

    def _do(self, name: str, **params: Any) -> None:
        with wrapped("the canaries' rows"):
            self._execute(name, params)

    def _execute(self, name: str, params: dict[str, Any]) -> Any:
        schema, table = qualified(self.legacy.users_table)
        query = compose(
            load("migrator.runner.verifying", "scene.sql")[name],
            identity=ident(schema, "migrator_identity"),
            tombstone=ident(schema, "migrator_tombstone"),
            users=ident(schema, table),
            id=ident(self.legacy.columns.get("id", "id")),
        )
        return self.connection.execute(query, {"source": self.legacy.model, **params})
