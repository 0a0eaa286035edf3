"""What the columns lose while they are in quarantine, and what comes back on them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from migrator.core.catalog import Constraint, Index
from migrator.sqlgen.render import render
from tests.sqlgen.removals import COLUMN, KEY, LOCKED, USERS, made

SET = replace(COLUMN, name="set", type="text")
WITH_DEFAULT = replace(SET, name="with_default", default="'d'")
ONCE = replace(SET, name="once", default="''")
PAIRED = replace(SET, name="paired", default="''")
FREE = replace(SET, name="free", default="''", not_null=False)
LOOSE = replace(
    USERS,
    columns=(COLUMN, SET, WITH_DEFAULT, ONCE, PAIRED, FREE, replace(LOCKED, name="stays")),
    indexes=(
        Index("a", "CREATE UNIQUE INDEX a …", False, ("once",), False, ""),
        Index("b", "CREATE UNIQUE INDEX b …", False, ("paired", "stays"), False, ""),
        Index("c", "CREATE INDEX c …", False, ("with_default",), False, ""),
    ),
)


def lost(text: str, what: str) -> list[str]:
    return re.findall(rf'ALTER COLUMN "(\w+)" {what};', text)


@pytest.mark.parametrize(
    ("erase", "undefaulted", "loosened"),
    [
        ("no", ["once"], ["set", "once"]),
        (
            "null",
            ["with_default", "once", "paired", "free"],
            ["set", "with_default", "once", "paired"],
        ),
    ],
)
def test_rows_need_not_name_the_columns_and_keep_what_does_no_harm(
    erase: str, undefaulted: list[str], loosened: list[str]
) -> None:
    going = ("set", "with_default", "once", "paired", "free")
    files = render(made(users=LOOSE, columns=going, erase=erase))
    text = files["deploy/10_loosen_columns.sql"]
    assert lost(text, "DROP DEFAULT") == undefaulted
    assert lost(text, "DROP NOT NULL") == loosened


@pytest.mark.parametrize(
    ("kind", "definition", "back"),
    [
        ("u", "UNIQUE (locked_at)", 'UNIQUE USING INDEX "odd"'),
        ("u", "UNIQUE (locked_at) DEFERRABLE", "UNIQUE (locked_at) DEFERRABLE"),
        (
            "u",
            "UNIQUE (locked_at) DEFERRABLE INITIALLY DEFERRED",
            "UNIQUE (locked_at) DEFERRABLE INITIALLY DEFERRED",
        ),
        ("x", "EXCLUDE USING gist (…)", "EXCLUDE USING gist (…)"),
        ("f", "FOREIGN KEY …", "FOREIGN KEY … NOT VALID"),
        ("c", "CHECK (…)", "CHECK (…) NOT VALID"),
        ("c", "CHECK (…) NOT VALID", "CHECK (…) NOT VALID"),
        ("c", "CHECK (…) NOT ENFORCED", "CHECK (…) NOT ENFORCED"),
    ],
)
def test_constraints_come_back_in_the_form_that_keeps_nobody_waiting(
    kind: str, definition: str, back: str
) -> None:
    target = {"target": ("public", "users"), "target_columns": ("id",)} if kind == "f" else {}
    odd = Constraint("odd", kind, definition, ("locked_at",), True, "", **target)
    users = replace(USERS, constraints=(KEY, odd))
    text = render(made(users=users, columns=("locked_at",)))["revert/16_purge_columns.sql"]
    assert f'ADD CONSTRAINT "odd" {back};' in text


def test_an_index_of_a_constraint_is_built_beside_only_where_the_constraint_can_take_it() -> None:
    index = Index("odd", "CREATE UNIQUE INDEX odd …", True, ("locked_at",), False, "")
    concurrently = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS odd …"
    for definition, built in (
        ("UNIQUE (locked_at)", True),
        ("UNIQUE (locked_at) DEFERRABLE", False),
    ):
        odd = Constraint("odd", "u", definition, ("locked_at",), True, "")
        users = replace(USERS, constraints=(KEY, odd), indexes=(index,))
        files = render(made(users=users, columns=("locked_at",)))
        assert (concurrently in files["revert/16_purge_columns.sql"]) == built


def test_a_table_that_a_column_points_to_is_locked_after_the_users_table() -> None:
    target = {"target": ("public", "places"), "target_columns": ("id",)}
    key = Constraint("to_place", "f", "FOREIGN KEY …", ("locked_at",), True, "", **target)
    users = replace(USERS, constraints=(KEY, key))
    text = render(made(users=users, columns=("locked_at",)))["deploy/16_purge_columns.sql"]
    assert re.findall(r'LOCK TABLE ONLY "public"\."(\w+)" IN ACCESS EXCLUSIVE MODE', text) == [
        "users",
        "places",
    ]


@pytest.mark.parametrize(("erase", "compared"), [("no", True), ("null", False)])
def test_before_they_go_columns_are_erased_or_compared_with_their_archive(
    erase: str, compared: bool
) -> None:
    text = render(made(columns=("locked_at",), erase=erase))["deploy/16_purge_columns.sql"]
    assert ("'the columns are erased'" in text) != compared
