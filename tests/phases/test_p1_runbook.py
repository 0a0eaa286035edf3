"""The runbook of the import is rehearsed: its commands, in its order, have to say what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.phases.rehearsal import SCENES, Rehearsal
from tests.phases.runbook import Scene, Settings, Typed, left_out, steps, unsaid, with_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.parts.better_auth import BetterAuth

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "runbooks" / "p1-import.md").read_text(encoding="utf-8")
QUOTED = re.compile(r"`([^`]+)`")
# Texts that go on in the next line are put together.
SOURCE = re.sub(
    r'"\s+f?"', "", "".join(p.read_text(encoding="utf-8") for p in ROOT.glob("migrator/**/*.py"))
)
# Commands in sentences that are part of no command that is rehearsed, and why.
NOT_REHEARSED = {
    "migrator import load FILE --format csv": "another source; tests of its own",
    "migrator import unload": "another source; tests of its own",
    "migrator dual-path stage set": "phase 2",
    "migrator import plugin --out ../auther/src/lib --env-file auther.env --rotate": (
        "Auther would have to be started a third time; tests/cli/test_plugin.py rotates"
    ),
}


def test_every_command_of_the_runbook_says_what_the_runbook_says(
    tmp_path: Path, devise_db: str, better_auth: Callable[..., BetterAuth]
) -> None:
    rehearsal = Rehearsal(tmp_path, devise_db, better_auth)
    rehearsal.begin()
    for step in steps(PAGE):
        rehearsal.play(step)


def test_every_command_on_the_page_is_rehearsed() -> None:
    assert left_out(PAGE) == set(NOT_REHEARSED)


def test_everything_that_a_person_does_is_on_the_page() -> None:
    assert {step.name for step in steps(PAGE) if isinstance(step, Scene)} == set(SCENES)


def test_every_message_of_the_last_table_is_one_of_ours() -> None:
    table = PAGE.partition("| Message |")[2]
    messages = [
        said
        for row in re.findall(r"^\| (.*?) \|", table, re.MULTILINE)
        for said in QUOTED.findall(row)
    ]
    parts = [part.strip() for said in messages for part in said.split("…")]
    assert len(messages) > 8
    assert [part for part in parts if len(part) > 8 and part not in SOURCE] == []


def test_what_is_expected_stands_in_order_and_whole() -> None:
    output = "Import\nusers read     600   \nheld: 35 rejects are listed\nnext: x\n"
    assert unsaid(("users read 600", "held: … rejects are listed", "next: x"), output) is None
    assert unsaid(("users read 60",), output) == "users read 60"
    assert unsaid(("next: x", "Import"), output) == "Import"
    assert unsaid(("held: 35 …",), output) is None
    assert unsaid(("… rejects",), output) == "… rejects"
    assert unsaid(("at 2026-11-23 04:45:43Z",), "at 2026-11-28 01:37:16Z") is None


def test_a_page_is_read_as_its_steps() -> None:
    page = (
        "text\n<!-- rehearsal: a scene -->\n   ```\n   $ one --a    # exit code 3\n   said … here\n"
        '   …\n   $ two    # Ctrl-C ends it\n   ```\n```toml\n[a]\nb = "c"\n```\n'
    )
    assert list(steps(page)) == [
        Scene("a scene"),
        Typed("one --a", 3, ("said … here",), 4),
        Typed("two", 0, (), 7, goes_on=True),
        Settings('[a]\nb = "c"'),
    ]


def test_settings_are_typed_into_their_section() -> None:
    config = "\n[a]\nb = 1\n# c = 2\n\n[d]\nb = 3\n"
    assert with_settings(config, "[a]\nb = 5\n[d]\nc = 6") == (
        "\n[a]\nb = 5\n# c = 2\n\n[d]\nc = 6\nb = 3\n"
    )


def test_settings_need_their_section() -> None:
    with pytest.raises(AssertionError, match="the configuration has no"):
        with_settings("\n[a]\nb = 1\n", "[nowhere]\nb = 2")
