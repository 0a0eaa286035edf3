"""What a removal consists of, and each reason to refuse one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migrator.archive.manifest import Excluded
from migrator.core.catalog import (
    Blocker,
    Catalog,
    Constraint,
    Table,
    Trigger,
)
from migrator.core.errors import RefusedError
from migrator.sqlgen import steps
from migrator.sqlgen.archive_plan import parse_archive_plan
from migrator.sqlgen.naming import fitting, quarantined, row_hashes
from migrator.sqlgen.removal import make_removal, refusals
from migrator.sqlgen.render import on_one_line, render
from migrator.sqlgen.steps import steps_of
from tests.sqlgen.golden import ACCESS, RULES
from tests.sqlgen.removals import (
    COLUMN,
    INDEX,
    KEY,
    LOCKABLE,
    LOCKED,
    LOGINS,
    SEQUENCE,
    USERS,
    USERS_NAME,
    made,
)


def refused(*tables: Table, **choice: Any) -> list[str]:
    with pytest.raises(RefusedError) as caught:
        made(*tables, **choice)
    first, *reasons = caught.value.message.splitlines()
    assert first == "not everything could be carried back:"
    assert caught.value.hint == (
        "remove what depends on it, or take it off [remove], then: migrator remove plan"
    )
    return [reason.removeprefix("  ") for reason in reasons]


def test_it_has_the_tables_as_they_were_asked_for_and_the_columns_as_the_table_has_them() -> None:
    others = replace(LOGINS, name="others")
    found = made(others, LOGINS, users=LOCKABLE, columns=("failed_attempts", "locked_at"))
    assert (found.database, found.server_version) == ("shop", 180_000)
    assert found.tables == (others, LOGINS)
    assert found.names == ("locked_at", "failed_attempts")
    assert len(found.revocations) == 2


@pytest.mark.parametrize("there", [(USERS,), (LOGINS,), ()])
def test_a_table_that_went_meanwhile_is_no_table_less(there: tuple[Table, ...]) -> None:
    with pytest.raises(RefusedError) as caught:
        make_removal(
            Catalog("shop", 180_000, there),
            tables=(("public", "logins"),),
            users=("public", "users"),
            columns=(),
            rules=RULES,
            access=ACCESS,
        )
    assert caught.value.message == "a table vanished meanwhile"
    assert caught.value.hint == "migrator remove plan"


def blocked(table: Table, *reasons: str, column: str = "") -> Table:
    return replace(table, blockers=tuple(Blocker(column, reason) for reason in reasons))


def test_all_reasons_are_told_at_once() -> None:
    assert refused(
        blocked(LOGINS, "it is a view", "rule r is on it"),
        users=blocked(LOCKABLE, "view v depends on it", column="locked_at"),
        columns=("locked_at", "failed_attempts"),
        version=130_000,
        acknowledged=(),
    ) == [
        "the server is PostgreSQL 13, older than 14",
        "public.logins: it is a view",
        "public.logins: rule r is on it",
        "public.users.locked_at: view v depends on it",
        (
            "public.users: Auther has no place for locked_at, failed_attempts; to do without "
            'put "lockout" into [remove] acknowledged'
        ),
    ]


@pytest.mark.parametrize("text", ["told\n-- unit: mine\n", "told\nBEGIN;\n"])
def test_a_text_that_would_cut_a_file_is_refused_wherever_it_stands(text: str) -> None:
    for table in (
        replace(LOGINS, comment=text),
        replace(LOGINS, columns=(replace(COLUMN, comment=text),)),
    ):
        with pytest.raises(RefusedError, match=r"public\.logins: a text of it has a line"):
            made(table)


def test_with_columns_in_their_old_places_the_other_reasons_are_told_too() -> None:
    users = replace(
        USERS, blockers=(Blocker("", "view x depends on it"), Blocker("locked_at", "so does y"))
    )
    assert refused(users=users, columns=("locked_at",), preserve_order=True) == [
        "public.users.locked_at: so does y",
        "public.users: view x depends on it, and with --preserve-order the table would be written anew",
    ]


def test_so_many_instances_or_these_have_to_say_what_they_run() -> None:
    guard = "deploy/01_guard.sql"
    number = render(made(LOGINS, expected=3))[guard]
    assert "unnest(ARRAY[]::text[])" in number
    assert "cardinality(living) < 3 THEN" in number
    names = render(made(LOGINS, expected=("a", "b")))[guard]
    assert "unnest(ARRAY['a', 'b']::text[])" in names
    assert "cardinality(living) < 1 THEN" in names


def test_the_oldest_server_is_14() -> None:
    assert refused(LOGINS, version=139_999) == ["the server is PostgreSQL 13, older than 14"]
    assert refusals(made(LOGINS, version=140_000)) == []


def with_column(name: str) -> Table:
    return replace(USERS, columns=(*USERS.columns, replace(LOCKED, name=name)))


@pytest.mark.parametrize(
    ("users", "columns", "reason"),
    [
        (
            replace(USERS, constraints=()),
            ("locked_at",),
            "public.users: without a primary key its columns could not be put back",
        ),
        *(
            (blocked(USERS, why), ("locked_at",), f"public.users: {why}")
            for why in (
                "it is partitioned",
                "it is a partition",
                "it takes part in table inheritance",
            )
        ),
        (
            with_column("migrator_q_sign_in_count"),
            ("migrator_q_sign_in_count",),
            "public.users.migrator_q_sign_in_count: it is in quarantine by another plan",
        ),
        (
            with_column("migrator_q_locked_at"),
            ("locked_at",),
            "public.users.locked_at: there is a column migrator_q_locked_at already",
        ),
        (
            with_column("migrator_row"),
            ("locked_at",),
            "public.users: it has a column migrator_row, a name that the archive needs",
        ),
    ],
)
def test_columns_that_could_not_come_back_are_refused_and_stay_where_none_goes(
    users: Table, columns: tuple[str, ...], reason: str
) -> None:
    assert refused(users=users, columns=columns) == [reason]
    assert refusals(made(LOGINS, users=users)) == []


def test_every_column_is_looked_at_even_after_one_that_is_in_the_way() -> None:
    users = replace(
        USERS,
        columns=tuple(
            replace(LOCKED, name=name)
            for name in ("id", "migrator_q_a", "b", "migrator_q_b", "c", "migrator_q_c")
        ),
    )
    assert refused(users=users, columns=("migrator_q_a", "b", "c")) == [
        "public.users.migrator_q_a: it is in quarantine by another plan",
        "public.users.b: there is a column migrator_q_b already",
        "public.users.c: there is a column migrator_q_c already",
    ]


def test_what_blocks_a_column_that_stays_or_the_users_table_itself_blocks_no_table() -> None:
    users = replace(
        USERS, blockers=(Blocker("", "it is a view"), Blocker("locked_at", "a view sees it"))
    )
    assert refusals(made(LOGINS, users=users)) == []
    assert refusals(made(blocked(LOGINS, "a view sees it", column="id"))) == []


@pytest.mark.parametrize("schema", ["migrator_guard", "migrator_quarantine", "migrator_archive"])
def test_what_another_plan_made_is_refused(schema: str) -> None:
    assert refused(replace(LOGINS, schema=schema)) == [
        f"{schema}.logins: {schema} belongs to another plan"
    ]


@pytest.mark.parametrize(
    "other",
    [
        replace(LOGINS, schema="two"),
        replace(LOGINS, schema="two", name="x", indexes=(replace(INDEX, name="logins"),)),
        replace(LOGINS, schema="two", name="x", sequences=(replace(SEQUENCE, name="logins"),)),
    ],
)
def test_a_name_that_would_be_there_twice_in_quarantine_is_refused(other: Table) -> None:
    assert refused(LOGINS, other) == [
        "logins: the name occurs in two schemas and would clash in quarantine"
    ]


def test_the_users_table_stays_out_of_quarantine_and_clashes_only_when_its_columns_move() -> None:
    namesake = replace(LOGINS, schema="two", name="users")
    assert refusals(made(namesake)) == []
    assert refused(namesake, columns=("locked_at",)) == [
        "users: the name occurs in two schemas and would clash in quarantine"
    ]


def test_secrets_that_something_asks_for_are_refused_unless_they_are_archived() -> None:
    check = Constraint("long", "c", "CHECK (…)", ("token",), True, "")
    token = replace(LOCKED, name="token", type="text")
    logins = replace(LOGINS, columns=(COLUMN, token), constraints=(check,))
    users = replace(USERS, columns=(*USERS.columns, token), constraints=(KEY, check))
    reason = (
        "its values are secrets, which the archive leaves out, but constraint long needs them "
        "(keep them: [remove.archive] include_secrets = true)"
    )
    viewed = blocked(logins, "it is a view")
    assert refused(viewed, users=users, columns=("token",), include_secrets=False) == [
        "public.logins: it is a view",
        f"public.logins.token: {reason}",
        f"public.users.token: {reason}",
    ]
    assert refusals(made(logins, users=users, columns=("token",))) == []
    assert refusals(made(users=users, columns=("locked_at",), include_secrets=False)) == []


def test_the_archive_leaves_out_secrets_and_what_is_computed_of_what_goes() -> None:
    token = replace(LOCKED, name="token", type="text")
    twice = replace(LOCKED, name="twice", generated="s")
    logins = replace(LOGINS, columns=(COLUMN, token, twice))
    users = replace(USERS, columns=(*USERS.columns, token))
    found = made(logins, users=users, columns=("locked_at", "token"), include_secrets=False)
    assert [o.column for o in found.omitted(logins)] == ["token"]
    assert (found.kept(logins), found.kept(users)) == (("id",), ("locked_at",))
    whole = made(logins, users=users, columns=("locked_at", "token"))
    assert (whole.omitted(logins), whole.kept(logins)) == ((), ("id", "token"))
    assert whole.kept(users) == ("locked_at", "token")


def test_the_archives_own_plan_names_what_it_leaves_out() -> None:
    token = replace(LOCKED, name="token", type="text")
    files = render(made(replace(LOGINS, columns=(COLUMN, token)), include_secrets=False))
    (archive,) = parse_archive_plan(files["archive/06_archive_tables.json"]).tables
    assert archive.excluded == (Excluded("token", "its values are secrets", "NULL"),)


def test_what_stands_in_for_a_secret_is_the_default_while_rows_are_read_in() -> None:
    password = replace(LOCKED, name="password", type="text")
    files = render(made(replace(LOGINS, columns=(COLUMN, password)), include_secrets=False))
    (archive,) = parse_archive_plan(files["archive/06_archive_tables.json"]).tables
    assert 'ALTER COLUMN "password" SET DEFAULT ' in archive.rebuild.create
    assert 'ALTER COLUMN "password" DROP DEFAULT' in archive.rebuild.complete


def test_of_the_users_table_the_archive_has_the_key_and_what_hangs_on_what_goes() -> None:
    manager = replace(LOCKED, name="manager_id", type="bigint")
    number = replace(manager, name="number")
    own = Constraint(
        "to_manager", "f", "FOREIGN KEY …", ("manager_id",), True, "", USERS_NAME, ("id",)
    )
    users = replace(
        USERS,
        columns=(*USERS.columns, manager, number),
        constraints=(KEY, own),
        sequences=(SEQUENCE, replace(SEQUENCE, name="numbers", column="number")),
        triggers=(Trigger("touch", "CREATE TRIGGER …", "O", ""),),
    )
    files = render(made(users=users, columns=("manager_id",)))
    (archive,) = parse_archive_plan(files["archive/12_archive_columns.json"]).tables
    assert archive.names == ("id", "manager_id")
    assert archive.sequences == (("public", "logins_id_seq", "public"),)
    assert '"to_manager" FOREIGN KEY …' in archive.rebuild.keys
    assert archive.rebuild.left_out == ("public.users: trigger touch",)
    assert [part.what for part in archive.rebuild.extras] == ["public.users: owner dba"]


def test_why_the_scream_window_proves_nothing_is_told_by_table() -> None:
    nobody = replace(ACCESS, roles=(), signed_in=())
    found = made(LOGINS, replace(LOGINS, name="others"), access=nobody, log_watched=False)
    why = "[remove] application_roles names no role that the application signs in with (connected now: nobody)"
    nowhere = "[remove] server_log names no file: nobody would hear a refusal"
    assert found.unproven == (f"public.logins: {why}", f"public.others: {why}", nowhere)
    assert made(columns=("locked_at",), access=nobody, log_watched=False).unproven == (nowhere,)
    assert made(LOGINS).unproven == ()


def test_a_plan_has_another_id_after_any_change() -> None:
    base = made(LOGINS, columns=("locked_at",))
    others = [
        made(LOGINS),
        made(columns=("locked_at",)),
        made(replace(LOGINS, oid=12), columns=("locked_at",)),
        made(LOGINS, users=replace(USERS, rows=4), columns=("locked_at",)),
        made(LOGINS, columns=("locked_at",), version=150_000),
        made(LOGINS, columns=("locked_at",), quiet_s=1),
        replace(base, database="other"),
        replace(base, revocations=(replace(base.revocations[0], new_owner="guard"),)),
    ]
    assert len({removal.plan_id for removal in [base, *others]}) == len(others) + 1
    assert len(base.plan_id) == 16


@pytest.mark.parametrize(
    ("tables", "columns", "erase", "left_out"),
    [
        ((LOGINS,), ("locked_at",), "null", ()),
        ((LOGINS,), ("locked_at",), "no", (steps.ERASE_COLUMNS,)),
        ((LOGINS,), (), "null", steps.NAMES[9:16]),
        ((), ("locked_at",), "rewrite", steps.NAMES[1:9]),
    ],
)
def test_steps_keep_their_numbers_when_a_track_is_empty(
    tables: tuple[Table, ...], columns: tuple[str, ...], erase: str, left_out: tuple[str, ...]
) -> None:
    found = [step.name for step in steps_of(made(*tables, columns=columns, erase=erase))]
    assert found == [name for name in steps.NAMES if name not in left_out]


def test_a_foreign_text_stays_in_its_comment_line() -> None:
    assert on_one_line("a\nDROP TABLE b; ü") == "a?DROP TABLE b; ü"


def test_names_fit_into_63_bytes_and_stay_different() -> None:
    assert (quarantined("a"), row_hashes("users")) == ("migrator_q_a", "rows_users")
    assert fitting("x" * 63) == "x" * 63
    cut = fitting("x" * 64)
    assert cut[:55] == "x" * 54 + "_"
    assert len(cut) == 63
    assert cut != fitting("x" * 65)
    # A letter of two bytes is not cut in two.
    assert fitting("x" * 53 + "ö" * 9)[:54] == "x" * 53 + "_"
