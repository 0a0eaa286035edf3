"""Whether columns may come back in their old places, and what their file is made of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrator.core.catalog import Blocker, Constraint, InboundKey
from migrator.core.errors import RefusedError
from migrator.sqlgen.in_order import FILE, staying_parts, tied
from migrator.sqlgen.render import render
from migrator.sqlgen.rewriting import refusals, seconds
from tests.sqlgen.removals import TABLE, USERS, made

ORDERS = InboundKey("public", "orders", 12, "by", "…", ("user_id",), ("id",), True, "")
INVITED = Constraint("invited", "f", "…", ("id",), True, "", ("public", "logins"), ("id",))


def test_a_large_table_is_refused_with_how_long_it_takes_unless_that_is_acknowledged() -> None:
    large = replace(USERS, rows=1_000_000)
    with pytest.raises(
        RefusedError, match=r"1000000 rows, and nobody could use it for about 40 s"
    ):
        made(users=large, columns=("locked_at",), preserve_order=True)
    accepted = ("table_rewrite", "lockout")
    removal = made(users=large, columns=("locked_at",), preserve_order=True, acknowledged=accepted)
    assert "about 40 s at 25000 rows per second" in render(removal)[FILE].replace(
        "\n--          ", " "
    )


def test_without_columns_that_go_there_is_nothing_to_put_in_order() -> None:
    assert FILE not in render(made(TABLE, preserve_order=True))


def test_up_to_a_hundred_thousand_rows_nobody_is_asked() -> None:
    assert refusals(replace(USERS, rows=100_000), ()) == []
    assert len(refusals(replace(USERS, rows=100_001), ())) == 1
    assert (seconds(replace(USERS, rows=100_000)), seconds(USERS)) == (4, 1)


def test_what_hangs_on_the_table_is_named_and_what_hangs_on_a_column_is_not() -> None:
    blockers = (Blocker("", "view x depends on it"), Blocker("locked_at", "view y depends on it"))
    found = refusals(replace(USERS, blockers=blockers, published=("told",)), ())
    assert [reason.partition(", and")[0] for reason in found] == [
        "public.users: view x depends on it",
        "public.users: publication told publishes it",
    ]


def test_keys_with_tables_that_go_are_left_to_these() -> None:
    users = replace(
        USERS,
        constraints=(*USERS.constraints, INVITED),
        inbound=(ORDERS, replace(ORDERS, table="logins", name="to users")),
    )
    removal = made(TABLE, users=users, columns=("locked_at",), preserve_order=True)
    assert tied(removal) == [("public", "orders")]
    assert staying_parts(removal) == (
        "column id bigint NOT NULL ",
        "constraint users_pkey PRIMARY KEY (id)",
        "foreign key by of public.orders",
    )
