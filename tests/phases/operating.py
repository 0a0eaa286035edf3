"""An operator who types a runbook's commands into this process, and Ctrl-C at what goes on for ever."""

from __future__ import annotations

import io
import os
import re
import shlex
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from threading import Timer
from typing import TYPE_CHECKING
from unittest.mock import patch

from migrator.cli.main import main
from tests.phases.runbook import Scene, Settings, Step, Typed, insist, is_said, with_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

TIMEOUT_S = 60
_GATES = re.compile(r"^\[\[(?:gates|regress)\]\]\n.*?(?=^\n|^#|^\[)", re.MULTILINE | re.DOTALL)


@dataclass
class Operator:
    """Somebody with a page in hand, who works in the current folder.

    Attributes:
        scenes: What happens around the commands, by name.
        words: What is meant here by words on the page, asked when one is typed.
        added: Options that make a command shorter, by its first words.
        history: What each command said.
        settings: The last block of settings.
    """

    folder: Path
    scenes: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    words: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    added: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)
    settings: str = ""

    @property
    def said(self) -> str:
        """What the last command said."""
        return self.history[-1]

    def play(self, step: Step) -> None:
        """Do a step, and insist on what the page says of it."""
        match step:
            case Settings():
                self.settings = step.text
            case Scene("settings"):
                self.configure(self.settings)
            case Scene("the approvers' lines"):
                self._copy_approvers()
            case Scene():
                self.scenes[step.name]()
            case Typed():
                code, said = self._type(step)
                self.history.append(said)
                insist(step, code, said)

    def configure(self, block: str) -> None:
        """Type settings into migrator.toml."""
        file = self.folder / "migrator.toml"
        meant = self._meant(block)
        file.write_text(with_settings(file.read_text(encoding="utf-8"), meant), encoding="utf-8")

    def _copy_approvers(self) -> None:
        """Put what was printed for both of them into migrator.toml."""
        file = self.folder / "migrator.toml"
        printed = [
            first(r"(?s)(\[\[approvers\]\].*?)the private", one) for one in self.history[-2:]
        ]
        file.write_text("\n".join([file.read_text(encoding="utf-8"), *printed]), encoding="utf-8")

    def _type(self, step: Typed) -> tuple[int, str]:
        text = self._meant(step.text)
        program, *words = shlex.split(text)
        if program != "migrator":
            ran = subprocess.run([program, *words], capture_output=True, text=True, check=False)
            return ran.returncode, ran.stdout + ran.stderr
        added = next((more for name, more in self.added.items() if text.startswith(name)), ())
        if step.goes_on:
            return interrupted([*words, *added], until=step.says[0])
        return typed([*words, *added])

    def _meant(self, printed: str) -> str:
        for word, meant in self.words.items():
            if word in printed:
                printed = printed.replace(word, meant())
        return printed


def new_migration(folder: Path, *, gates: str) -> None:
    """Type `migrator init` in the current folder, and let gates take the place of those with long spans."""
    assert typed(["init", "--name", "shop", "--verified-when", "always"])[0] == 0
    file = folder / "migrator.toml"
    text = _GATES.sub("", file.read_text(encoding="utf-8"))
    file.write_text(text + gates, encoding="utf-8")


def newest_request(folder: Path) -> str:
    """Give the file that approvers sign next."""
    found = (folder / ".migrator" / "approvals").glob("*.json")
    return str(max(found, key=lambda path: path.stat().st_mtime_ns))


def typed(words: list[str], *, answer: str = "y\n") -> tuple[int, str]:
    """Run the command in this process as its own program would; `answer` is all that it can read."""
    said = io.StringIO()
    with (
        patch.object(sys, "argv", ["migrator", *words]),
        patch.object(sys, "stdin", io.StringIO(answer)),
        redirect_stdout(said),
        redirect_stderr(said),
    ):
        try:
            main()
        except SystemExit as end:
            return int(end.code or 0), said.getvalue()
    raise AssertionError("a program ends with an exit code")


def interrupted(words: list[str], *, until: str) -> tuple[int, str]:
    """Run the command beside this process, and press Ctrl-C when a line is there."""
    process = subprocess.Popen(
        [sys.executable, "-m", "migrator", *words],
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    timer = Timer(TIMEOUT_S, process.kill)
    timer.start()
    with process:
        said = interrupt_after(process, until)
        said += process.communicate()[0]
    timer.cancel()
    return process.returncode, said


def interrupt_after(process: subprocess.Popen[str], wanted: str) -> str:
    """Read until a line is there, then press Ctrl-C; gives what was read."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if is_said(wanted, line):
            break
    process.send_signal(signal.SIGINT)
    return said


def first(pattern: str, text: str) -> str:
    """Give the first group of what is found in a text that has to have it."""
    found = re.search(pattern, text)
    assert found is not None, text
    return found[1]
