"""Turns a removal into SQL files: a deploy, a revert and a verify file per step."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from migrator.core.sql import ident, literal
from migrator.sqlgen import in_order, naming, steps
from migrator.sqlgen.archive_plan import MACROS, archive_files
from migrator.sqlgen.environment import environment_of
from migrator.sqlgen.secret_columns import blank_password

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jinja2 import Environment

    from migrator.core.catalog import Column, Constraint, Grant, InboundKey, Index, Table
    from migrator.sqlgen.removal import Removal

DIRECTIONS = ("deploy", "revert", "verify")
BATCH_ROWS = 1000
ERASE_BLOCKS = 100
LEASE_S = 60
LEASE_BY_HAND_S = 2
ADVISORY_KEY = 0x6D69_6772_726D  # "migrrm": only while the guard schema is made
_WIDTH = 120


@dataclass(frozen=True)
class _Surroundings:
    """What is tied to the removed objects and stays."""

    inbound: tuple[tuple[Table, InboundKey], ...]
    own_keys: tuple[tuple[Table, Constraint], ...]
    drop_locks: list[tuple[str, ...]]
    column_locks: list[tuple[str, ...]]
    column_indexes: list[Index]
    column_constraints: list[Constraint]


@dataclass(frozen=True)
class _Loosening:
    """What a column loses so that rows need not name it, and what it keeps.

    Attributes:
        undefaulted: Loses its default.
        loosened: Loses NOT NULL.
        refilled: Of those, rows get the default back afterwards.
        defaulted: Keeps its default.
        tightened: Keeps NOT NULL.
    """

    undefaulted: list[Column]
    loosened: list[Column]
    refilled: list[Column]
    defaulted: list[Column]
    tightened: list[Column]


def _loosening(removal: Removal) -> _Loosening:
    gone = set(removal.names)
    only_once = {
        name
        for index in removal.users.indexes
        if index.definition.startswith("CREATE UNIQUE") and gone.issuperset(index.columns)
        for name in index.columns
    }
    erased = removal.rules.erase != "no"
    undefaulted = [c for c in removal.columns if c.default and (erased or c.name in only_once)]
    loosened = [c for c in removal.columns if c.not_null and (not c.default or c in undefaulted)]
    return _Loosening(
        undefaulted,
        loosened,
        refilled=[c for c in loosened if c.default and c.name not in only_once],
        defaulted=[c for c in removal.columns if c.default and c not in undefaulted],
        tightened=[c for c in removal.columns if c.not_null and c not in loosened],
    )


def render(removal: Removal) -> dict[str, str]:
    """Give the text of each file by its path, e.g. `deploy/01_guard.sql`."""
    environment = _environment()
    values = _values(removal)
    return {
        f"{direction}/{step.name}.sql": environment.get_template(
            f"{direction}/{step.name}.sql.j2"
        ).render(values, step=step)
        for step in steps.steps_of(removal)
        for direction in DIRECTIONS
    } | {
        **_in_order(environment, removal, values),
        **_archive_files(environment, removal),
    }


def _in_order(
    environment: Environment, removal: Removal, values: dict[str, Any]
) -> dict[str, str]:
    if not removal.in_order:
        return {}
    more = {
        "step": in_order.step_of(removal),
        "rebuild": in_order.REBUILD,
        "tied": in_order.tied(removal),
        "users_keys": in_order.own_keys(removal),
        "users_inbound": in_order.inbound_keys(removal),
        "fillings": in_order.fillings(removal, values["defaulted"]),
        "staying_parts": in_order.staying_parts(removal),
    }
    template = environment.get_template(f"{in_order.FILE}.j2")
    return {in_order.FILE: template.render(values | more)}


def _archive_files(environment: Environment, removal: Removal) -> dict[str, str]:
    module = environment.get_template("rebuild.sql.j2").make_module()
    return archive_files(removal, {name: getattr(module, name) for name in MACROS})


@cache
def _environment() -> Environment:
    environment = environment_of("migrator.sqlgen", blocks_leave_lines=True)
    environment.globals.update(
        ident=ident,
        literal=literal,
        role=_role,
        quarantined=naming.quarantined,
        blank_password=blank_password,
        rejected=lambda name: ident(_rejected_name(name)),
        rejected_name=_rejected_name,
        row_hashes=lambda name: ident(naming.row_hashes(name)),
        tripwire_view=lambda name: ident(naming.fitting("tripwire_" + name)),
    )
    environment.filters.update(
        wrapped=wrapped,
        comment=on_one_line,
        literal=literal,
        not_valid=_not_valid,
        concurrently=_concurrently,
        quick_definition=_quick_definition,
        by_grantee=_by_grantee,
        name_in_place=lambda table: (table.schema, table.name),
        name_in_quarantine=lambda table: (naming.QUARANTINE, table.name),
        prefixed=lambda text, prefix: prefix + text,
    )
    return environment


def _values(removal: Removal) -> dict[str, Any]:
    around = _surroundings(removal)
    columns = removal.columns
    key = list(removal.users.key)
    loosening = _loosening(removal)
    return {
        **vars(around),
        "removal": removal,
        "plan_id": removal.plan_id,
        "tables": removal.tables,
        "users": removal.users,
        "columns": columns,
        "column_names": removal.names,
        "kept": {table.label: removal.kept(table) for table in (*removal.tables, removal.users)},
        "omitted": {
            table.label: removal.omitted(table) for table in (*removal.tables, removal.users)
        },
        "all_column_names": _name_list([*removal.names, *map(naming.quarantined, removal.names)]),
        "archives": len(removal.tables) + bool(columns),
        "archived": [*key, *removal.kept(removal.users)],
        "live": [*key, *map(naming.quarantined, removal.kept(removal.users))],
        **vars(loosening),
        "later": [c for c in columns if c in loosening.defaulted or blank_password(c)],
        "erased": removal.rules.erase != "no",
        "rewritten": removal.rules.erase == "rewrite",
        "erase_blocks": ERASE_BLOCKS,
        "key_index": next((k.name for k in removal.users.constraints if k.kind == "p"), ""),
        "clustered": next((i.name for i in removal.users.indexes if i.clustered), ""),
        "revocations": {
            t.label: r for t, r in zip(removal.tables, removal.revocations, strict=True)
        },
        "application_roles": _name_list(removal.rules.application_roles),
        "expected_count": removal.rules.expected if isinstance(removal.rules.expected, int) else 1,
        "expected_names": ()
        if isinstance(removal.rules.expected, int)
        else removal.rules.expected,
        "taken_over": [
            t for t, r in zip(removal.tables, removal.revocations, strict=True) if r.new_owner
        ],
        "planned": [*removal.tables, *([removal.users] if columns else [])],
        "step_names": [step.name for step in steps.steps_of(removal)],
        "names": steps,
        "squawk": steps.SQUAWK,
        "guard": naming.GUARD,
        "quarantine": naming.QUARANTINE,
        "archive": naming.ARCHIVE,
        "block_trigger": naming.BLOCK_TRIGGER,
        "truncate_trigger": naming.TRUNCATE_TRIGGER,
        "row_number": naming.ROW_NUMBER,
        "batch_rows": BATCH_ROWS,
        "lease_s": LEASE_S,
        "lease_by_hand_s": LEASE_BY_HAND_S,
        "advisory_key": ADVISORY_KEY,
        "dollar": "$migrator$",
    }


def _surroundings(removal: Removal) -> _Surroundings:
    dropped = {(table.schema, table.name) for table in removal.tables}
    users = (removal.users.schema, removal.users.name)
    own_keys = tuple((t, k) for t in removal.tables for k in t.constraints if k.kind == "f")
    inbound = tuple(
        (t, k) for t in removal.tables for k in t.inbound if (k.schema, k.table) not in dropped
    )
    tied = {k.target for _, k in own_keys} | {(k.schema, k.table) for _, k in inbound}
    gone = set(removal.names)
    # A key to a table that goes was dropped with that table, and comes back with it.
    constraints = [
        k for k in removal.users.constraints if gone & set(k.columns) and k.target not in dropped
    ]
    targets = {k.target for k in constraints if k.kind == "f"} - {users}
    return _Surroundings(
        inbound=inbound,
        own_keys=own_keys,
        # Of the tables that stay, the users table is the busiest.
        drop_locks=[
            *sorted(tied - dropped, key=lambda name: (name != users, name)),
            *((naming.QUARANTINE, table.name) for table in removal.tables),
        ],
        column_locks=[users, *sorted(targets)],
        column_indexes=[
            index
            for index in removal.users.indexes
            if gone & set(index.columns) and _built_online(index, constraints)
        ],
        column_constraints=constraints,
    )


def _built_online(index: Index, constraints: list[Constraint]) -> bool:
    made_it = [k for k in constraints if index.constrained and k.name == index.name]
    return all(_takes_an_index(constraint) for constraint in made_it)


def _takes_an_index(constraint: Constraint) -> bool:
    """Tell whether it can be made of an index: unique, and checked at once."""
    return (
        constraint.kind == "u"
        and not constraint.definition.endswith(" DEFERRABLE")
        and (not constraint.definition.endswith(" INITIALLY DEFERRED"))
    )


def _quick_definition(constraint: Constraint) -> str:
    if _takes_an_index(constraint):
        return f"UNIQUE USING INDEX {ident(constraint.name)}"
    if constraint.kind in {"c", "f"}:
        return _not_valid(constraint.definition)
    return constraint.definition


def _not_valid(definition: str) -> str:
    """Let a constraint in without looking at the rows that are there."""
    if definition.endswith(" NOT ENFORCED"):
        return definition
    return definition.removesuffix(" NOT VALID") + " NOT VALID"


def _concurrently(definition: str) -> str:
    return re.sub(
        r"^CREATE (UNIQUE )?INDEX ", r"CREATE \1INDEX CONCURRENTLY IF NOT EXISTS ", definition
    )


def _by_grantee(grants: Iterable[Grant]) -> list[tuple[str, bool, list[str]]]:
    found: dict[tuple[str, bool], list[str]] = {}
    for grant in grants:
        found.setdefault((grant.grantee, grant.grantable), []).append(grant.privilege)
    return [(*who, privileges) for who, privileges in found.items()]


def _name_list(names: Iterable[str]) -> str:
    return f"ARRAY[{', '.join(map(literal, names))}]::name[]"


def _role(name: str) -> str:
    return ident(name) if name else "PUBLIC"


def _rejected_name(table: str) -> str:
    return naming.fitting("rejected_" + table)


def on_one_line(text: str) -> str:
    """Keep a foreign text inside its line."""
    return "".join(c if c.isprintable() else "?" for c in text)


def wrapped(text: str) -> str:
    """Put a text into comments of a bearable width."""
    lines = textwrap.wrap(text, _WIDTH, initial_indent="-- ", subsequent_indent="--          ")
    return "\n".join(lines)
