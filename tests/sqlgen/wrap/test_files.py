"""What the wrappers write: every step once, in the plan's order, and nothing that a name could run."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from migrator.sqlgen.steps import Step
from migrator.sqlgen.wrap.interface import Wrapped
from migrator.sqlgen.wrap.registry import WRAPPERS

NAMES = ("01_guard", "05_quarantine_tables", "16_purge_columns", "17_finalize")
STEPS = tuple(Step(name, f"Does {name}.", "None.", "Nobody.", "At any time.") for name in NAMES)
SQL = {
    f"{direction}/{name}.sql": f"-- {name}\n-- unit: one\nBEGIN;\nSELECT 1;\nCOMMIT;\n"
    for name in NAMES
    for direction in ("deploy", "revert", "verify")
}
PLAN = Wrapped(
    "0123456789abcdef",
    datetime(2026, 11, 28, 23, 59, 58, tzinfo=UTC),
    STEPS,
    """to_regclass('"public"."#{exit}"') IS NOT NULL""",
    SQL,
)
# How each tool knows the order.
ORDER = {
    "rails": r"^db/migrate/(\d{14})_migrator_remove(\d\d)_",
    "sql": r"^(\d\d)_\w+\.up\.sql$",
    "alembic": r"^versions/migrator_\w{8}_(\d\d)_",
    "django": r"^migrator_removal/migrations/(\d{4})_",
}


@pytest.mark.parametrize("tool", ORDER)
def test_the_tools_order_is_the_plans(tool: str) -> None:
    paths = sorted(WRAPPERS[tool].files(PLAN))
    found = [match for path in paths if (match := re.match(ORDER[tool], path))]
    assert [int(match[match.lastindex or 0]) for match in found] == [1, 5, 16, 17]


def test_sqitch_reads_the_order_from_its_plan() -> None:
    lines = WRAPPERS["sqitch"].files(PLAN)["sqitch.plan"].splitlines()
    assert [line.split()[0] for line in lines[3:]] == list(NAMES)
    assert "[01_guard]" in lines[4]


@pytest.mark.parametrize("tool", WRAPPERS)
def test_each_has_a_page_that_names_every_step_and_the_permit(tool: str) -> None:
    files = WRAPPERS[tool].files(PLAN)
    (page,) = (text for path, text in files.items() if path.endswith("README.md"))
    assert [name for name in NAMES if name not in page] == []
    assert "migrator remove permit STEP" in page


def test_the_name_of_a_table_is_no_ruby() -> None:
    text = WRAPPERS["rails"].files(PLAN)["db/migrator_removal/step.rb"]
    assert r"\#{exit}" in text
    assert re.search(r"(?<!\\)#\{exit\}", text) is None


def test_python_files_are_python() -> None:
    for tool in ("alembic", "django"):
        for path, text in WRAPPERS[tool].files(PLAN).items():
            if path.endswith(".py"):
                compile(text, path, "exec")
