"""What the code gives up: the diff for a Rails model, and the order that the page tells."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from migrator.sqlgen.code_removal import ignoring

if TYPE_CHECKING:
    from pathlib import Path

PATH = "app/models/user.rb"
COLUMNS = ("encrypted_password", "locked_at")


@pytest.mark.parametrize(
    "text",
    [
        "class User < ApplicationRecord\n  devise :lockable\nend\n",
        "# frozen_string_literal: true\n\nmodule Shop\n  class User < Base\n  end\nend",
    ],
)
def test_the_diff_applies_and_names_every_column(tmp_path: Path, text: str) -> None:
    file = tmp_path / PATH
    file.parent.mkdir(parents=True)
    file.write_text(text)
    diff = ignoring(PATH, text, model="User", columns=COLUMNS)
    assert diff.endswith("\\ No newline at end of file\n") == (not text.endswith("\n"))
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=diff.encode(), check=True)
    changed = file.read_text()
    assert all(f'"{name}"' in changed for name in COLUMNS)
    added = [line for line in changed.splitlines() if line not in text.splitlines()]
    assert added[0].strip() == "self.ignored_columns += ["


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("class User < ApplicationRecord\n  self.ignored_columns = []\nend\n", COLUMNS),
        ("class Userish < ApplicationRecord\nend\n", COLUMNS),
        ("class User < ApplicationRecord\nend\n", ()),
    ],
)
def test_what_a_person_has_to_decide_gets_no_diff(text: str, columns: tuple[str, ...]) -> None:
    assert ignoring(PATH, text, model="User", columns=columns) == ""
