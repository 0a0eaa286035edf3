"""Users who stay on the legacy path and lose access when it ends, until somebody acknowledges them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from migrator.config.postgres import lacks_table, reading
from migrator.core.errors import MigratorError
from migrator.core.queries import load
from migrator.metrics.interface import FactLook, Grade, no_fact

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from migrator.config.secrets import SecretRef
    from migrator.core.clock import Clock

APPLICATION_NAME = "migrator drain pinned users"


class Pinned(NamedTuple):
    """The list of these users.

    Attributes:
        list_hash: SHA-256 over all of it, hex.
        known: All users of the model that the table knows, pinned or not.
        shown: The first ones: primary key and reason.
    """

    users: int
    list_hash: str
    known: int
    shown: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PinnedUsers:
    """`migrator_identity` in the application's database.

    Attributes:
        source: The legacy model.
        acknowledged: Hash of the list that a person acknowledged, '' before that.
    """

    dsn: SecretRef
    root: Path
    source: str
    acknowledged: str
    timeout: timedelta
    clock: Clock

    def look(self) -> FactLook:
        """Count those whom nobody has acknowledged; another list than the acknowledged one counts whole."""
        try:
            found = self.read(rows=0)
        except MigratorError as error:
            if lacks_table(error):
                return no_fact(Grade.NO_DATA, "there is no migrator_identity: migrator import run")
            return no_fact(Grade.ERROR, error.message)
        if not found.known:
            reason = f"migrator_identity knows no {self.source}: migrator import run"
            return no_fact(Grade.NO_DATA, reason)
        evidence = {"pinned": found.users, "list_hash": found.list_hash}
        known = not found.users or found.list_hash == self.acknowledged
        value = 0.0 if known else float(found.users)
        return FactLook(value, self.clock.now(), evidence=evidence)

    def read(self, *, rows: int) -> Pinned:
        """Read the list.

        Args:
            rows: How many to show.

        Raises:
            DependencyError: The database failed.
            UsageError: The DSN is missing or is no DSN.
        """
        queries = load("migrator.metrics", "pinned_users.sql")
        with reading(
            self.dsn,
            self.root,
            "migrator_identity",
            application_name=APPLICATION_NAME,
            statement_timeout=self.timeout,
        ) as connection:
            # Count and list belong to one moment.
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            wanted = {"source": self.source, "rows": rows}
            row = connection.execute(queries["count"].encode(), wanted).fetchone()
            shown = connection.execute(queries["list"].encode(), wanted).fetchall()
        count, list_hash, known = row or (0, "", 0)
        listed = tuple((str(pk), str(why)) for pk, why in shown)
        return Pinned(int(count), str(list_hash), int(known), listed)
