"""Runs the command with a folder and an environment of its own, in this process or as a user does in another.

A process of its own costs a second of starting: it is for what only a process shows. Each command has one such test.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from migrator.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT_S = 120


@dataclass(frozen=True)
class Ran:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Read standard output as JSON."""
        return json.loads(self.out)


def migrator(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> Ran:
    """Run `migrator` with arguments in a folder, in this process: not in two threads at a time."""
    out, err = io.StringIO(), io.StringIO()
    with (
        chdir(folder),
        patch.dict(os.environ, env or {}),
        patch.object(sys, "argv", ["migrator", *arguments]),
        patch.object(sys, "stdin", io.StringIO()),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            return Ran(int(end.code or 0), out.getvalue(), err.getvalue())
    raise AssertionError("a program ends with an exit code")


def migrator_process(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> Ran:
    """Run `migrator` with arguments in a folder, in a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-m", "migrator", *arguments],
        cwd=folder,
        env=os.environ | (env or {}),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return Ran(ran.returncode, ran.stdout, ran.stderr)
