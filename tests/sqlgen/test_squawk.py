"""Squawk passes on every file, or the file says why a rule does not hold there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from migrator.sqlgen.wrap.registry import WRAPPERS
from phases import p4_remove
from tests.phases.removal import make_site
from tests.sqlgen.golden import GOLDEN
from tests.sqlgen.test_round_trip import rich, role

__all__ = ["rich", "role"]


def squawk(*files: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("squawk")
    return subprocess.run(
        [shutil.which(program) or "squawk", "--reporter", "gcc", *files],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("database", ["devise_db", "rich"])
def test_squawk_finds_nothing_that_is_not_explained(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    found = request.getfixturevalue(database)
    site = (
        make_site(tmp_path, found, monkeypatch, rules='erase = "rewrite"')
        if isinstance(found, str)
        else found
    )
    made = p4_remove.plan(site.ctx, wrap=tuple(WRAPPERS))
    files = sorted((site.root / ".migrator/remove").rglob("*.sql"))
    # The plan's own three for each step, and what the wrappers make of them.
    assert len(files) == (3 + 3 + 3 + 2 + 2 + 2) * len(made.steps)
    ran = squawk(*files)
    assert ran.stdout == ""
    assert ran.returncode == 0


def test_what_squawk_is_told_to_skip_has_its_reason_beside_it(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path, devise_db, monkeypatch)
    for path, text in p4_remove.plan(site.ctx).files.items():
        for above in re.findall(r"^(.*)\n-- squawk-ignore-file ", text, re.MULTILINE):
            assert above.startswith("--"), path
        assert text.count("squawk-ignore-file") == text.count("-- Squawk:  "), path


def test_squawk_finds_nothing_in_the_plans_that_are_kept() -> None:
    # It reads PostgreSQL's SQL.
    found = GOLDEN.rglob("*.sql")
    files = sorted(path for path in found if GOLDEN / "mariadb" not in path.parents)
    assert files
    assert squawk(*files).stdout == ""


def test_squawk_does_look(tmp_path: Path) -> None:
    file = tmp_path / "naive.sql"
    file.write_text("DROP TABLE identities CASCADE;\n")
    assert "ban-drop-table" in squawk(file).stdout
