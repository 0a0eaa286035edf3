"""What an operator does wrong at 2 a.m. is answered with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrator.cli.gate import _who_loses
from migrator.metrics.pinned_users import Pinned
from migrator.runner.gating.acknowledging import Acknowledged
from tests.cli.command import migrator

if TYPE_CHECKING:
    from pathlib import Path

INIT = ("init", "--name", "shop", "--verified-when", "confirmed")
ROLLBACKS = """There is:
  migrator import rollback: Remove from Auther exactly what the import wrote.
  migrator dual-path stage rollback: Restore the stage before, exactly; asks no gate, needs no database and no state."""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("remov plan", "No such command 'remov'. There is:\n  migrator remove: Remove the legacy"),
        ("rollback", ROLLBACKS),
        ("stage set dual", "There is:\n  migrator dual-path stage: Show and move the stage"),
        ("xyz", "No such command 'xyz'.\n"),
        ("approve sign no.json --key env:X --as me", "there is no file no.json\n"),
    ],
)
def test_outside_of_a_migration(tmp_path: Path, words: str, said: str) -> None:
    ran = migrator(tmp_path, *words.split())
    assert ran.code == 2
    assert said in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "auther capacity",
            "[auther] base_url is not set\nnext: set it to Auther's public address\n",
        ),
        ("preflight", "mysql://… for MariaDB, sqlite:/whole/path for a SQLite file\n"),
    ],
)
def test_in_a_new_migration(tmp_path: Path, words: str, said: str) -> None:
    migrator(tmp_path, *INIT)
    ran = migrator(tmp_path, *words.split(), env={"LEGACY_DATABASE_URL": "oracle://db/shop"})
    assert ran.code == 2
    assert said in ran.err


def test_a_secret_in_the_file_is_named_and_not_repeated(tmp_path: Path) -> None:
    migrator(tmp_path, *INIT)
    file = tmp_path / "migrator.toml"
    file.write_text(
        file.read_text().replace('"env:LEGACY_DATABASE_URL"', '"postgresql://a:pw@db"')
    )
    said = migrator(tmp_path, "status").err
    assert "legacy.dsn: found a value in clear; a secret is written as env:NAME" in said
    assert "pw@db" not in said


def test_whoever_acknowledges_a_list_is_told_that_there_is_more_of_it() -> None:
    two = Pinned(26, "abc", 600, (("7", "second_factor"), ("8", "second_factor")))
    said = _who_loses(Acknowledged(two, known=False))
    assert said[-2] == "  and 24 more: migrator gate acknowledge --rows 26"
    whole = Pinned(2, "abc", 600, two.shown)
    assert len(_who_loses(Acknowledged(whole, known=False))) == len(said) - 1


@pytest.mark.parametrize(
    ("target", "guide"),
    [("rails", "docs/auther_cutover.md"), ("asgi", "auther_dual_path/README.md")],
)
def test_whoever_generated_a_shim_is_told_which_page_to_read(
    tmp_path: Path, target: str, guide: str
) -> None:
    ran = migrator(tmp_path, "dual-path", "generate", "--target", target, "--out", "shim")
    assert (tmp_path / "shim" / guide).exists()
    assert f"Next: read {guide} there, deploy" in ran.out
