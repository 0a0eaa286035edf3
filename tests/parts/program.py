"""A program that serves HTTP: started in its own session, waited for, and never left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from tests.parts.postgres import end_with_parent, free_port

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

START_WITHIN_S = 60
STOP_WITHIN_S = 15
SHOWN_OF_LOG = 3000


@dataclass
class Program(ABC):
    """One program; its output goes to a log.

    Attributes:
        folder: Where it runs.
        environment: All of it.
        health_path: What answers once it serves.
        log_begins: Bytes that the log had when it was started last.
    """

    folder: Path
    environment: dict[str, str]
    log_path: Path
    port: int = field(default_factory=free_port)
    health_path: str = "/healthz"
    process: subprocess.Popen[bytes] | None = None
    log_begins: int = field(default=0, init=False)

    @property
    def base_url(self) -> str:
        """Give the address it listens on."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Give what it has written so far."""
        return self.log_path.read_text(errors="replace")

    @abstractmethod
    def command(self) -> list[str]:
        """Give the command that starts it."""

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            RuntimeError: It ended or did not answer in time; with the end of its log.
        """
        with self.log_path.open("ab") as log:
            self.log_begins = log.tell()
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                # Even a killed run must not leave a server behind.
                preexec_fn=end_with_parent,  # noqa: PLW1509
            )
        until = time.monotonic() + START_WITHIN_S
        while self.process.poll() is None and time.monotonic() < until:
            try:
                httpx.get(self.base_url + self.health_path, timeout=5, trust_env=False)
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        self.stop()
        raise RuntimeError(f"it did not start: {self.log[-SHOWN_OF_LOG:]}")

    def stop(self) -> None:
        """Stop it; its folder stays."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def remove(self) -> None:
        """Stop it and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def edited(text: str, changes: Mapping[str, str]) -> str:
    """Edit generated settings as a team could; the code stays the same.

    Raises:
        ValueError: The text says something else by now.
    """
    for old, new in changes.items():
        if old not in text:
            raise ValueError(f"the generated code no longer says {old!r}")
        text = text.replace(old, new)
    return text


def write_files(folder: Path, files: dict[str, str]) -> None:
    """Put rendered files into an application's folder."""
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
