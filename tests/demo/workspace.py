"""The folder that the demo leaves, and the commands that it runs there as an operator would."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]
WORKSPACE = ROOT / "demo-workspace"
SHOWN_LINES = 22


class UnexpectedError(Exception):
    """A command did not end as the story says; the demo stops there."""


@dataclass
class Workspace:
    """A folder with a migrator.toml.

    Attributes:
        env: What the operator has set: secrets by name.
    """

    env: dict[str, str]
    root: Path = WORKSPACE
    began: float = field(default_factory=time.monotonic)

    def clear(self) -> None:
        """Begin with an empty folder."""
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(mode=0o700)

    def chapter(self, title: str) -> None:
        """Say what comes now, and how long it took until here."""
        print(f"\n=== {title}  [{time.monotonic() - self.began:.0f} s]", flush=True)

    def say(self, line: str) -> None:
        """Say something beside the commands' own output."""
        print(f"    ({line})", flush=True)

    def migrator(self, *arguments: str, expect: int = 0, quiet: bool = False) -> str:
        """Run a command, show it with its output, and insist on its exit code.

        Returns:
            Standard output.

        Raises:
            UnexpectedError: The exit code is another one.
        """
        print(f"\n$ migrator {shlex.join(arguments)}", flush=True)
        ran = subprocess.run(
            [sys.executable, "-m", "migrator", *arguments],
            cwd=self.root,
            env=os.environ | self.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        lines = ran.stdout.rstrip().splitlines()
        for line in _cut(lines, 3 if quiet and ran.returncode == expect else SHOWN_LINES):
            print(f"  {line}")
        print(f"  [exit {ran.returncode}]", flush=True)
        if ran.returncode != expect:
            raise UnexpectedError(
                f"migrator {shlex.join(arguments)} gave {ran.returncode}, not {expect}"
            )
        return ran.stdout

    def edit_config(self, *changes: tuple[str, str]) -> None:
        """Change migrator.toml as the operator does with an editor.

        Raises:
            UnexpectedError: A text to replace is not there.
        """
        path = self.root / "migrator.toml"
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            if old not in text:
                raise UnexpectedError(f"migrator.toml has no {old!r}")
            text = text.replace(old, new, 1)
        path.write_text(text, encoding="utf-8")

    def drop_gates(self, *names: str) -> None:
        """Leave out gates of the default set that have nothing to measure here."""
        path = self.root / "migrator.toml"
        text = path.read_text(encoding="utf-8")
        for name in names:
            block = rf'^\[\[gates\]\]\nname = "{name}"\n(?:\w.*\n)+'
            text, found = re.subn(block, "", text, flags=re.MULTILINE)
            if not found:
                raise UnexpectedError(f"migrator.toml has no gate {name}")
        path.write_text(text, encoding="utf-8")

    def shorten_gates(self, changes: Sequence[tuple[str, str]]) -> None:
        """Make the default gates' times seconds, so that nobody has to watch for weeks."""
        path = self.root / "migrator.toml"
        head, gates, tail = path.read_text(encoding="utf-8").partition("[[gates]]")
        text = gates + tail
        for pattern, mend in changes:
            text = re.sub(pattern, mend, text, flags=re.MULTILINE)
        path.write_text(head + text, encoding="utf-8")


def _cut(lines: list[str], most: int) -> list[str]:
    """Keep the beginning and the end of a long output."""
    if len(lines) <= most:
        return lines
    head = most // 2
    return [*lines[:head], f"… {len(lines) - most} lines …", *lines[head - most :]]
