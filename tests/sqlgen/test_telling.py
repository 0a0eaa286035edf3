"""What a person is told of a removal before it begins."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from migrator.core.access import Bystander
from migrator.core.catalog import (
    Constraint,
    Grant,
    InboundKey,
    Policy,
    Publication,
    Trigger,
)
from migrator.sqlgen import steps
from migrator.sqlgen.steps import steps_of
from migrator.sqlgen.telling import described, exceptions, exceptions_in_order, notes, told
from tests.sqlgen.removals import (
    COLUMN,
    INDEX,
    KEY,
    LOCKED,
    LOGINS,
    USERS,
    USERS_NAME,
    made,
)

if TYPE_CHECKING:
    from migrator.core.catalog import Table
    from migrator.sqlgen.removal import Removal


def test_to_write_a_table_anew_is_told_as_what_keeps_everybody_waiting() -> None:
    def erasing(erase: str) -> str:
        found = steps_of(made(columns=("locked_at",), erase=erase))
        return next(step.blocks for step in found if step.name == steps.ERASE_COLUMNS)

    assert erasing("null") == "Writers of the same rows for the time of a batch."
    assert erasing("rewrite") == "All use of the users table while it is written anew."


def grants(*names: str) -> tuple[Grant, ...]:
    return tuple(Grant(name, "SELECT", grantable=False) for name in names)


def test_a_table_is_described_in_one_line() -> None:
    foreign = Constraint("to_users", "f", "FOREIGN KEY …", ("id",), True, "", USERS_NAME)
    inbound = InboundKey("public", "o", 2, "from_o", "", ("t",), ("id",), True, "")
    table = replace(
        LOGINS,
        constraints=(KEY, foreign),
        inbound=(inbound, inbound),
        triggers=(Trigger("touch", "", "O", ""), Trigger("told", "", "O", "")),
        policies=(Policy("mine", True, "SELECT", (), "", "", ""),),
        publications=(Publication("all", (), ""),),
        grants=grants("shop", "dba", "", "shop"),
    )
    assert described(made(table, columns=("locked_at",))) == (
        (
            "public.logins: OID 11; 3 rows; owner dba; foreign keys: 1 out, 2 in; "
            "triggers: touch, told; policies: mine; publications: all; granted to: PUBLIC, shop"
        ),
        "public.users: OID 10; 3 rows; owner dba; foreign keys: 0 out, 0 in",
    )
    assert len(described(made(table))) == 1
    assert told(Bystander("slot", "s", "lags")) == "slot s: lags"


TRIGGERED = replace(USERS, triggers=(Trigger("a", "", "O", ""), Trigger("b", "", "O", "")))
PASSWORD = replace(LOCKED, name="password", type="text")


@pytest.mark.parametrize(
    ("removal", "said"),
    [
        (
            made(LOGINS, users=TRIGGERED),
            ["tables: the physical order of rows, OIDs, and gaps of columns dropped before"],
        ),
        (
            made(users=TRIGGERED, columns=("locked_at",)),
            [
                "public.users: the columns come back at the end of the column order",
                (
                    "public.users: rows written after the archive get the columns' defaults; "
                    "as a password a hash that none fits"
                ),
                "public.users: its own triggers fire during the way back: a, b",
            ],
        ),
        (
            made(replace(LOGINS, columns=(COLUMN, PASSWORD)), include_secrets=False),
            [
                "tables: the physical order of rows, OIDs, and gaps of columns dropped before",
                (
                    "public.logins.password: its values are secrets and not archived; "
                    "a revert puts a hash that no password fits there"
                ),
            ],
        ),
    ],
)
def test_what_does_not_come_back_as_it_was_is_told(removal: Removal, said: list[str]) -> None:
    assert list(exceptions(removal)) == said


def test_what_does_not_come_back_in_order_is_told_of_the_new_table() -> None:
    def in_order(erase: str) -> Removal:
        columns = replace(LOGINS, columns=(COLUMN, PASSWORD))
        rules = {"preserve_order": True, "include_secrets": False, "erase": erase}
        return made(columns, columns=("locked_at",), **rules)

    new = "public.users: it is a new table, whose OID and statistics are others"
    others = exceptions(in_order("no"))
    assert exceptions_in_order(in_order("no")) == (others[0], new, *others[2:])
    assert len(others) == 4
    assert others[1] == (
        "public.users: the columns come back at the end of the column order, "
        "unless `migrator remove revert --preserve-order` writes the table anew"
    )
    erased = exceptions_in_order(in_order("null"))[1]
    assert erased == f"{new}; the physical order of its rows went with the erasure"
    assert exceptions_in_order(made(LOGINS, columns=("locked_at",))) == ()


def test_how_long_a_table_is_written_anew_is_told_with_the_tables_that_wait_too() -> None:
    def note(users: Table) -> str:
        (found,) = notes(made(users=users, columns=("locked_at",), preserve_order=True))
        return found

    assert note(USERS).startswith(
        "migrator remove revert --preserve-order: ACCESS EXCLUSIVE on public.users, in one transaction"
    )
    by = InboundKey("public", "orders", 2, "by", "…", ("t",), ("id",), True, "")
    team = Constraint("of", "f", "…", ("id",), True, "", ("public", "teams"), ("id",))
    itself = replace(team, name="invited_by", target=USERS_NAME)
    tied = replace(USERS, inbound=(by,), constraints=(*USERS.constraints, team, itself))
    assert "on public.users and, NOWAIT, on public.orders, public.teams, in one" in note(tied)


def test_what_to_look_at_first_is_told() -> None:
    shared = replace(INDEX, columns=("locked_at", "name", "email"))
    users = replace(USERS, mentions=("g()",), indexes=(INDEX, shared))
    logins = replace(LOGINS, mentions=("f()",))
    assert notes(made(logins, users=users, columns=("locked_at",), log_watched=False)) == (
        "function f() names what goes from public.logins, and may break",
        "function g() names what goes from public.users, and may break",
        (
            "index by_lock of public.users goes with its columns; whoever looks rows up "
            "by name, email needs another one first (CREATE INDEX CONCURRENTLY)"
        ),
        (
            "the scream window is UNPROVEN (step 04_scream_window will hold): "
            "[remove] server_log names no file: nobody would hear a refusal"
        ),
    )
    alone = made(users=users, columns=("locked_at",), log_watched=False)
    assert "(step 11_quarantine_columns will hold)" in notes(alone)[-1]
    accepted = made(LOGINS, log_watched=False, acknowledged=("scream_window",))
    assert notes(accepted)[0].startswith("the scream window is UNPROVEN (acknowledged): ")
