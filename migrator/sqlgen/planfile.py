"""The plan as files: SQL, and plan.json with a hash over all of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from migrator.core.catalog import shape
from migrator.core.clock import iso
from migrator.core.errors import ConflictError
from migrator.core.sql import ident, literal
from migrator.core.units import needs_session
from migrator.sqlgen import in_order
from migrator.sqlgen.archive_plan import parse_archive_plan, path_of
from migrator.sqlgen.dialect import DIALECTS
from migrator.sqlgen.pages import pages
from migrator.sqlgen.removal import POSTGRESQL
from migrator.sqlgen.telling import exceptions_in_order, told
from migrator.sqlgen.wrap.interface import Wrapped
from migrator.sqlgen.wrap.registry import WRAPPERS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from migrator.core.access import Bystander
    from migrator.sqlgen.archive_plan import ArchivePlan
    from migrator.sqlgen.code_removal import CodeRemoval
    from migrator.sqlgen.removal import Removal

PLAN_FILE = "plan.json"
WRAP_FOLDER = "wrap"


@dataclass(frozen=True)
class PlanFile:
    """A plan that was read back, its files found unchanged.

    Attributes:
        plan_id: Stands for catalog and choice; the SQL and the guard schema know it.
        plan_hash: SHA-256 over plan.json, and through the hashes in it over every file.
        steps: Names in order.
        tables: `schema.name` of the tables to drop.
        users: `schema.name` of the users table.
        columns: Columns of the users table to drop.
        exceptions: What a revert after a drop does not bring back as it was.
        exceptions_in_order: The same where the users table is written anew for it.
        unproven: Why the scream window would prove nothing.
        listens: Whether the server's log can be read for refusals, which is all that the columns' window needs.
        code_first: What of the application's code still uses what goes, unless that is acknowledged.
        survey: What is there, a line each.
        oids: OIDs of all tables that a step locks or is tied to.
        shapes: By `schema.name`, what must be the same again after a full revert.
        files: Text by path.
        dialect: Whose SQL they are in, a key of `DIALECTS`.
    """

    plan_id: str
    plan_hash: str
    database: str
    made_at: str
    steps: tuple[str, ...]
    tables: tuple[str, ...]
    users: str
    columns: tuple[str, ...]
    exceptions: tuple[str, ...]
    exceptions_in_order: tuple[str, ...]
    notes: tuple[str, ...]
    unproven: tuple[str, ...]
    listens: bool
    code_first: tuple[str, ...]
    survey: tuple[str, ...]
    oids: tuple[int, ...]
    shapes: Mapping[str, dict[str, Any]]
    files: Mapping[str, str]
    dialect: str = POSTGRESQL

    def archive(self, step: str) -> ArchivePlan:
        """Give what an archive step takes out of the database."""
        return parse_archive_plan(self.files[path_of(step)])

    @property
    def in_order(self) -> bool:
        """Whether the columns can come back in their old places."""
        return in_order.FILE in self.files

    @property
    def archive_steps(self) -> tuple[str, ...]:
        """The steps that make an archive, in order."""
        return tuple(step for step in self.steps if path_of(step) in self.files)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of tables and columns, as an application's statements have them."""
        return (*(label.partition(".")[2] for label in self.tables), *self.columns)


@dataclass(frozen=True)
class Beside:
    """What a plan tells of beside the catalog.

    Attributes:
        bystanders: What else is at work in the database.
        code: What of the application's code goes with it.
        wrap: Tools to wrap the same steps for, keys of `WRAPPERS`.
        library_notes: What a person has to know of the library that goes.
        pooled: The database was reached through a pooler that keeps no sessions.
    """

    code: CodeRemoval
    bystanders: tuple[Bystander, ...] = ()
    wrap: tuple[str, ...] = ()
    library_notes: tuple[str, ...] = ()
    pooled: bool = False


def plan_files(removal: Removal, beside: Beside, *, made_at: datetime) -> dict[str, str]:
    """Give every file of a plan by its path, plan.json among them."""
    dialect = DIALECTS[removal.dialect]
    files = dialect.render(removal)
    look_at = (
        *beside.library_notes,
        *dialect.notes(removal),
        *beside.code.notes(removal),
        *(_past_the_pooler(files) if beside.pooled else ()),
    )
    files |= _wrapped(removal, beside.wrap, files, made_at=made_at)
    files |= pages(removal, beside.code, wraps=beside.wrap, notes=look_at)
    plan = {
        "plan_id": removal.plan_id,
        "database": removal.database,
        "server_version": removal.server_version,
        "made_at": iso(made_at),
        "steps": [step.name for step in dialect.steps_of(removal)],
        "tables": [table.label for table in removal.tables],
        "users": removal.users.label,
        "columns": list(removal.names),
        "exceptions": list(dialect.exceptions(removal)),
        "exceptions_in_order": list(exceptions_in_order(removal)),
        "notes": list(look_at),
        "unproven": list(removal.unproven),
        "listens": removal.rules.log_watched,
        "code_first": _code_first(removal, beside.code),
        "survey": [*dialect.described(removal), *map(told, beside.bystanders)],
        "oids": _oids(removal),
        "shapes": _shapes(removal),
        "catalog": removal.content(),
        "files": {path: _hash(text) for path, text in sorted(files.items())},
    }
    if removal.dialect != POSTGRESQL:
        plan["dialect"] = removal.dialect
    return {**files, PLAN_FILE: json.dumps(plan, indent=2, ensure_ascii=False) + "\n"}


def _code_first(removal: Removal, code: CodeRemoval) -> list[str]:
    accepted = "code_first" in removal.rules.acknowledged
    return [] if accepted else list(code.open_points(removal))


def _wrapped(
    removal: Removal, wrap: tuple[str, ...], sql: Mapping[str, str], *, made_at: datetime
) -> dict[str, str]:
    steps = DIALECTS[removal.dialect].steps_of(removal)
    plan = Wrapped(removal.plan_id, made_at, steps, _there(removal), dict(sql))
    return {
        f"{WRAP_FOLDER}/{tool}/{path}": text
        for tool in wrap
        for path, text in WRAPPERS[tool].files(plan).items()
    }


def _there(removal: Removal) -> str:
    if removal.tables:
        table = removal.tables[0]
        return f"to_regclass({literal(ident(table.schema, table.name))}) IS NOT NULL"
    users = literal(ident(removal.users.schema, removal.users.name))
    return (
        f"EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass({users}) "
        f"AND attname = {literal(removal.names[0])} AND NOT attisdropped)"
    )


def _past_the_pooler(files: Mapping[str, str]) -> tuple[str, ...]:
    paths = ", ".join(path for path, text in files.items() if needs_session(text))
    if not paths:
        return ()
    return (
        f"legacy.dsn goes through a pooler that keeps no sessions: {paths} needs direct_dsn under [legacy]",
    )


def parse_plan(files: Mapping[str, str]) -> PlanFile:
    """Read a plan back.

    Args:
        files: Text by path, plan.json among them.

    Raises:
        ConflictError: plan.json cannot be read, or a file is missing or was edited.
    """
    text = files.get(PLAN_FILE, "")
    try:
        plan = json.loads(text)
        hashes: dict[str, str] = plan["files"]
        wrong = [p for p, known in hashes.items() if p not in files or _hash(files[p]) != known]
        if wrong:
            raise ConflictError(
                f"changed since `remove plan` wrote them: {', '.join(wrong)}",
                hint="put them back, or, with nothing applied, make them anew: migrator remove plan",
            )
        return PlanFile(
            plan_hash=_hash(text),
            files={path: files[path] for path in hashes},
            dialect=plan.get("dialect", POSTGRESQL),
            **{key: _frozen(plan[key]) for key in _KEYS},
        )
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ConflictError(
            f"{PLAN_FILE} is damaged ({type(error).__name__})", hint="migrator remove plan"
        ) from error


_KEYS = (
    "plan_id",
    "database",
    "made_at",
    "steps",
    "tables",
    "users",
    "columns",
    "exceptions",
    "exceptions_in_order",
    "notes",
    "unproven",
    "listens",
    "code_first",
    "survey",
    "oids",
    "shapes",
)


def _shapes(removal: Removal) -> dict[str, dict[str, Any]]:
    shapes = {table.label: shape(table) for table in removal.tables}
    if removal.columns:
        shapes[removal.users.label] = shape(removal.users, columns=frozenset(removal.names))
    return shapes


def _oids(removal: Removal) -> list[int]:
    tables = [*removal.tables, removal.users]
    inbound = [key.oid for table in tables for key in table.inbound]
    return sorted({table.oid for table in tables} | set(inbound))


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
