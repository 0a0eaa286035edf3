"""What is to be removed, checked: everything in it can be carried back."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from migrator.core.catalog import as_data
from migrator.core.errors import RefusedError
from migrator.core.units import looks_like_one
from migrator.sqlgen import rewriting, secret_columns
from migrator.sqlgen.naming import COLUMN_PREFIX, ROW_NUMBER, SCHEMAS, quarantined
from migrator.sqlgen.revocation import Revocation, revocation_of
from migrator.sqlgen.secret_columns import omissions
from migrator.sqlgen.usual.registry import losses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.core.access import Access
    from migrator.core.catalog import Catalog, Column, Table
    from migrator.sqlgen.secret_columns import Omission

# Raised when the emitted SQL changes, so that an old plan is not taken for a new one.
GENERATOR = 6
POSTGRESQL, MARIADB = "postgresql", "mariadb"
MIN_SERVER_VERSION = 140000  # the guard's functions are of the kind that came with 14


@dataclass(frozen=True)
class LockRules:
    """How long emitted SQL may wait.

    Attributes:
        timeout_ms: `lock_timeout` of the one lock that a transaction waits for.
        attempts: How often the whole transaction is tried.
    """

    timeout_ms: int
    attempts: int


@dataclass(frozen=True)
class Rules:
    """What the configuration says about how things are removed.

    Attributes:
        application_roles: Roles that the application signs in to PostgreSQL with.
        guard_role: Takes over tables that one of those owns.
        scream_window_s: How long nobody may have been refused.
        log_watched: The server's log is read for refusals.
        quiet_s: How long no user may have been on the legacy side.
        heartbeat_s: How long an instance that is silent counts as there.
        expected: Instances that have to be there, by name, or how many at least.
        erase: `no`, `null` or `rewrite`: what happens to values before the columns go.
        acknowledged: What is gone or unproven, and accepted.
        include_secrets: The archive keeps the values of secret columns too.
        preserve_order: There is to be a way back with the columns in their old places.
    """

    locks: LockRules
    application_roles: tuple[str, ...]
    guard_role: str
    scream_window_s: int
    log_watched: bool
    quiet_s: int
    heartbeat_s: int
    expected: tuple[str, ...] | int
    erase: str
    acknowledged: tuple[str, ...]
    include_secrets: bool
    preserve_order: bool = False


@dataclass(frozen=True)
class Removal:
    """Tables to drop, and columns of the users table to drop.

    Attributes:
        users: The users table; it stays.
        columns: Of `users`, in the table's order; may be empty, like `tables`.
        revocations: How each of `tables` is taken away from the application.
        dialect: Whose SQL is emitted, a key of `DIALECTS`.
    """

    database: str
    server_version: int
    tables: tuple[Table, ...]
    users: Table
    columns: tuple[Column, ...]
    rules: Rules
    revocations: tuple[Revocation, ...]
    dialect: str = POSTGRESQL

    @property
    def locks(self) -> LockRules:
        """How long emitted SQL may wait."""
        return self.rules.locks

    @property
    def unproven(self) -> tuple[str, ...]:
        """Why the scream window would prove nothing."""
        found = [
            f"{table.label}: {reason}"
            for table, revocation in zip(self.tables, self.revocations, strict=True)
            for reason in revocation.unproven
        ]
        if not self.rules.log_watched:
            found.append("[remove] server_log names no file: nobody would hear a refusal")
        return tuple(found)

    def omitted(self, table: Table) -> tuple[Omission, ...]:
        """Give the columns whose values the archive of a table leaves out."""
        return () if self.rules.include_secrets else omissions(table, self.going(table))

    def kept(self, table: Table) -> tuple[str, ...]:
        """Give the columns that go from a table and whose values are archived, in its order; not what is computed."""
        left_out = {omission.column for omission in self.omitted(table)}
        return tuple(
            c.name for c in self.going(table) if not c.generated and c.name not in left_out
        )

    def going(self, table: Table) -> tuple[Column, ...]:
        """Give the columns that go: all of a table to drop, some of the users table."""
        return self.columns if table is self.users else table.columns

    @property
    def in_order(self) -> bool:
        """Whether the columns can come back in their old places."""
        return self.rules.preserve_order and bool(self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(column.name for column in self.columns)

    @property
    def plan_id(self) -> str:
        """16 hex characters that stand for catalog, OIDs, row counts and choice."""
        data = json.dumps(self.content(), sort_keys=True, separators=(",", ":"))
        return sha256(data.encode()).hexdigest()[:16]

    def content(self) -> dict[str, Any]:
        """Give all that the emitted SQL depends on, as plain data."""
        return {
            "generator": GENERATOR,
            "database": self.database,
            "server_version": self.server_version,
            "rules": asdict(self.rules),
            "revocations": [asdict(revocation) for revocation in self.revocations],
            "tables": [as_data(table) for table in self.tables],
            "users": as_data(self.users),
            "columns": list(self.names),
        }


def make_removal(
    catalog: Catalog,
    *,
    tables: tuple[tuple[str, str], ...],
    users: tuple[str, str],
    columns: tuple[str, ...],
    rules: Rules,
    access: Access,
) -> Removal:
    """Choose tables and columns out of a catalog that has them all.

    Args:
        catalog: Read with every table of `tables`, and `users` with `columns` as those to drop.
        tables: Schema and name of each table to drop.
        users: Schema and name of the users table.
        columns: Its columns to drop.
        rules: How it is to be removed.
        access: Who may do what to the tables.

    Raises:
        RefusedError: Something could not be carried back; all reasons are named.
    """
    kept = catalog.find(*users)
    chosen = tuple(found for name in tables if (found := catalog.find(*name)))
    if kept is None or len(chosen) < len(tables):
        raise RefusedError("a table vanished meanwhile", hint="migrator remove plan")
    removal = Removal(
        catalog.database,
        catalog.server_version,
        chosen,
        kept,
        tuple(column for column in kept.columns if column.name in columns),
        rules,
        tuple(revocation_of(table, access) for table in chosen),
    )
    return checked(removal, refusals(removal))


def checked(removal: Removal, reasons: list[str]) -> Removal:
    """Give a removal that nothing speaks against.

    Raises:
        RefusedError: There are reasons; all are named.
    """
    if reasons:
        raise RefusedError(
            "not everything could be carried back:\n" + "\n".join(f"  {r}" for r in reasons),
            hint="remove what depends on it, or take it off [remove], then: migrator remove plan",
        )
    return removal


def refusals(removal: Removal) -> list[str]:
    """Give every reason why the removal could not be undone or could not run."""
    found = []
    if removal.server_version < MIN_SERVER_VERSION:
        found.append(f"the server is PostgreSQL {removal.server_version // 10000}, older than 14")
    found += [f"{t.label}: {b.reason}" for t in removal.tables for b in t.blockers if not b.column]
    if removal.columns:
        found += _column_refusals(removal)
    if removal.in_order:
        found += rewriting.refusals(removal.users, removal.rules.acknowledged)
    return found + refusals_anywhere(removal) + _cuts(removal) + _name_clashes(removal)


def refusals_anywhere(removal: Removal) -> list[str]:
    """Give the reasons that are the same in every database: secrets that cannot be left out, losses nobody accepted."""
    secrets = [] if removal.rules.include_secrets else _secret_refusals(removal)
    return secrets + _unacknowledged(removal)


def _cuts(removal: Removal) -> list[str]:
    """Name tables with a name, comment or definition that would be taken for a border between pieces of a file."""
    catalogs = [*removal.tables, removal.users]
    pairs = [(table, as_data(table)) for table in catalogs]
    return [
        f'{table.label}: a text of it has a line of its own like "-- unit: name" or "BEGIN;"'
        for table, data in pairs
        if any(looks_like_one(text) for text in _texts(data))
    ]


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from (key, *_texts(value))
    elif isinstance(data, list | tuple):
        for value in data:
            yield from _texts(value)


def _unacknowledged(removal: Removal) -> list[str]:
    lost = losses([*removal.names, *(table.name for table in removal.tables)])
    return [
        f"{removal.users.label}: Auther has no place for {', '.join(names)}; to do without "
        f'put "{loss}" into [remove] acknowledged'
        for loss, names in lost.items()
        if loss not in removal.rules.acknowledged
    ]


def _secret_refusals(removal: Removal) -> list[str]:
    tables = [*removal.tables, removal.users]
    found = [r for table in tables for r in secret_columns.refusals(table, removal.going(table))]
    return [f"{reason} (keep them: [remove.archive] include_secrets = true)" for reason in found]


def _column_refusals(removal: Removal) -> list[str]:
    users = removal.users
    found = [f"{users.label}.{b.column}: {b.reason}" for b in users.blockers if b.column]
    if not users.key:
        found.append(f"{users.label}: without a primary key its columns could not be put back")
    kept = {"it is partitioned", "it is a partition", "it takes part in table inheritance"}
    found += [f"{users.label}: {b.reason}" for b in users.blockers if b.reason in kept]
    names = {column.name for column in users.columns}
    for name in removal.names:
        if name.startswith(COLUMN_PREFIX):
            found.append(f"{users.label}.{name}: it is in quarantine by another plan")
        elif quarantined(name) in names:
            found.append(f"{users.label}.{name}: there is a column {quarantined(name)} already")
    if ROW_NUMBER in names:
        found.append(f"{users.label}: it has a column {ROW_NUMBER}, a name that the archive needs")
    return found


def _name_clashes(removal: Removal) -> list[str]:
    moved = [*removal.tables, *([removal.users] if removal.columns else [])]
    found = [
        f"{table.label}: {table.schema} belongs to another plan"
        for table in moved
        if table.schema in SCHEMAS
    ]
    names = Counter(table.name for table in moved)
    for table in removal.tables:
        names.update(index.name for index in table.indexes)
        names.update(sequence.name for sequence in table.sequences)
    return found + [
        f"{name}: the name occurs in two schemas and would clash in quarantine"
        for name, times in names.items()
        if times > 1
    ]
