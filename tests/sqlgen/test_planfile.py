"""A plan as files: what is read back is what was written, and nothing that was edited."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from migrator.core.errors import ConflictError
from migrator.sqlgen import steps
from migrator.sqlgen.code_removal import CodeRemoval
from migrator.sqlgen.planfile import PLAN_FILE, Beside, PlanFile, parse_plan, plan_files
from migrator.sqlgen.wrap.registry import WRAPPERS
from tests.sqlgen.golden import AT, BESIDE, CODE, everything, kept, only_columns, only_tables

if TYPE_CHECKING:
    from migrator.sqlgen.removal import Removal

FILES = kept("everything")
PLAN = json.loads(FILES[PLAN_FILE])
DEPLOY = "deploy/01_guard.sql"


def test_what_is_read_back_is_what_was_written() -> None:
    plan = parse_plan(FILES)
    as_written = {
        field.name: PLAN[field.name]
        for field in fields(PlanFile)
        if field.name not in {"plan_hash", "files", "dialect"}
    }
    for name, value in as_written.items():
        assert getattr(plan, name) == (tuple(value) if isinstance(value, list) else value), name
    assert plan.plan_hash == sha256(FILES[PLAN_FILE].encode()).hexdigest()
    assert plan.files == {path: text for path, text in FILES.items() if path != PLAN_FILE}
    assert plan.archive_steps == (steps.ARCHIVE_TABLES, steps.ARCHIVE_COLUMNS)
    assert plan.names[1:4] == ("tokens", "scratch", "encrypted_password")


def test_a_plan_says_whose_sql_it_is_where_that_is_not_postgresqls() -> None:
    assert "dialect" not in PLAN
    assert parse_plan(FILES).dialect == "postgresql"
    assert parse_plan(kept("mariadb")).dialect == "mariadb"


def test_files_beside_the_plan_are_nobodys_business() -> None:
    assert "mine.txt" not in parse_plan({**FILES, "mine.txt": ""}).files


@pytest.mark.parametrize("edited", [{DEPLOY: "-- mine"}, {DEPLOY: None}])
def test_an_edited_or_missing_file_is_named(edited: dict[str, str | None]) -> None:
    files = {path: text for path, text in {**FILES, **edited}.items() if text is not None}
    with pytest.raises(ConflictError) as caught:
        parse_plan(files)
    assert caught.value.message == f"changed since `remove plan` wrote them: {DEPLOY}"
    assert caught.value.hint == (
        "put them back, or, with nothing applied, make them anew: migrator remove plan"
    )


def test_an_empty_file_that_is_missing_is_named_too() -> None:
    wrapping = Beside(CodeRemoval("User", None), wrap=("django",))
    files = plan_files(only_columns(), wrapping, made_at=AT)
    (empty,) = (path for path, text in files.items() if text == "")
    del files[empty]
    with pytest.raises(ConflictError, match=f"{empty}$"):
        parse_plan(files)


def test_all_edited_files_are_named() -> None:
    with pytest.raises(ConflictError, match=f"{DEPLOY}, verify/01_guard.sql$"):
        parse_plan({**FILES, DEPLOY: "-- mine", "verify/01_guard.sql": "-- mine"})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "JSONDecodeError"),
        ("{", "JSONDecodeError"),
        ("{}", "KeyError"),
        ("[]", "TypeError"),
        ('{"files": []}', "AttributeError"),
        (json.dumps({"files": {}}), "KeyError"),
    ],
)
def test_a_damaged_plan_is_a_conflict(text: str | None, why: str) -> None:
    with pytest.raises(ConflictError) as caught:
        parse_plan({} if text is None else {PLAN_FILE: text})
    assert caught.value.message == f"plan.json is damaged ({why})"
    assert caught.value.hint == "migrator remove plan"


def test_an_archive_of_the_plan_is_read_back_as_it_was_written() -> None:
    plan = parse_plan(FILES)
    tables = plan.archive(steps.ARCHIVE_TABLES)
    written = json.loads(FILES["archive/06_archive_tables.json"])
    assert tables.step == written["step"] == steps.ARCHIVE_TABLES
    for table, data in zip(tables.tables, written["tables"], strict=True):
        assert _plain(table) == data
    (users,) = plan.archive(steps.ARCHIVE_COLUMNS).tables
    assert (users.label, users.names[0], users.only_columns) == ("public.users", "id", True)


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=vars))


@pytest.mark.parametrize(
    ("removal", "there"),
    [
        (
            only_tables(),
            """to_regclass('"Odd Schema"."wörter ""quoted"" and long: 0123456789012345678901234567890"') IS NOT NULL""",
        ),
        (
            only_columns(),
            (
                """EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('"public"."users"') """
                "AND attname = 'encrypted_password' AND NOT attisdropped)"
            ),
        ),
    ],
)
def test_the_same_steps_are_wrapped_for_the_tools_that_were_asked_for(
    removal: Removal, there: str
) -> None:
    wrapping = Beside(CodeRemoval("User", None), wrap=("sql", "rails"))
    files = plan_files(removal, wrapping, made_at=AT)
    wrapped = [path for path in files if path.startswith("wrap/")]
    assert {path.split("/")[1] for path in wrapped} == {"sql", "rails"}
    assert files[f"wrap/rails/db/migrator_removal/{DEPLOY}"] == files[DEPLOY]
    assert removal.plan_id in files["wrap/sql/step.sh"]
    assert there in files["wrap/sql/01_guard.down.sql"]
    assert set(wrapped) < set(json.loads(files[PLAN_FILE])["files"])
    assert "migrations of other tools: sql, rails, each" in files["README.md"]


def test_what_needs_a_session_is_told_only_when_a_pooler_keeps_none() -> None:
    said = "goes through a pooler that keeps no sessions: "
    assert [said in note for note in PLAN["notes"]].count(True) == 1
    straight = plan_files(everything(), Beside(CodeRemoval("User", None)), made_at=AT)
    assert said not in straight[PLAN_FILE]


def test_code_that_names_what_goes_is_an_open_point_unless_that_is_acknowledged() -> None:
    assert PLAN["code_first"] == list(CODE.open_points(everything())) != []
    rules = replace(everything().rules, acknowledged=("lockout", "code_first"))
    accepted = plan_files(replace(everything(), rules=rules), BESIDE, made_at=AT)
    assert json.loads(accepted[PLAN_FILE])["code_first"] == []


def test_every_tool_can_be_asked_for() -> None:
    files = plan_files(
        only_columns(), Beside(CodeRemoval("U", None), wrap=tuple(WRAPPERS)), made_at=AT
    )
    assert {path.split("/")[1] for path in files if path.startswith("wrap/")} == set(WRAPPERS)
