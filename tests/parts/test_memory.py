from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.parts import memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

RUN = """
import runpy, sys
from pathlib import Path
print(runpy.run_path(sys.argv[1])["folder_of_run"](Path(sys.argv[2])), flush=True)
input()
"""


@contextmanager
def a_run(base: Path) -> Iterator[Path]:
    """Another run, with its folder; it is killed at the end."""
    with subprocess.Popen(
        [sys.executable, "-S", "-c", RUN, str(memory.__file__), str(base)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        (folder / "data").mkdir()
        (folder / "data" / "file").write_text("of a database")
        yield folder
        process.kill()


def test_a_run_removes_what_killed_ones_left_and_nothing_of_a_living_one(tmp_path: Path) -> None:
    other = tmp_path / "pytest-of-me"
    other.mkdir()
    with a_run(tmp_path) as living:
        with a_run(tmp_path) as killed:
            pass
        assert (killed / "data" / "file").exists()
        mine = memory.folder_of_run(tmp_path)
        memory.remove_left_folders(tmp_path)
        assert set(tmp_path.iterdir()) == {other, living, mine}
        assert (living / "data" / "file").exists()


def test_what_is_another_users_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with a_run(tmp_path) as killed:
        pass
    monkeypatch.setattr(os, "geteuid", lambda: killed.stat().st_uid + 1)
    memory.remove_left_folders(tmp_path)
    assert killed.exists()


def test_a_run_that_only_a_worker_is_left_of_is_a_living_one(tmp_path: Path) -> None:
    with a_run(tmp_path) as killed:
        memory.hold(killed)
    memory.remove_left_folders(tmp_path)
    assert killed.exists()
