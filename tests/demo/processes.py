"""The application's instances: real uvicorn processes that the demo starts, kills and restarts."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
START_WITHIN_S = 20


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Instance:
    """One instance of the application.

    Attributes:
        env: Added to this process's environment.
    """

    name: str
    env: dict[str, str]
    log: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, **env: str) -> None:
        """Start it and wait until it answers.

        Raises:
            RuntimeError: It does not; its log is in the workspace.
        """
        self.env |= env
        command = [sys.executable, "-m", "uvicorn", "tests.demo.application:app"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port), "--log-level", "warning"],
                cwd=ROOT,
                env=os.environ | self.env | {"MIGRATOR_INSTANCE": self.name},
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + START_WITHIN_S
        while time.monotonic() < until:
            if self.process.poll() is None and self._answers():
                return
            time.sleep(0.1)
        raise RuntimeError(f"{self.name} did not start, see {self.log}")

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        try:
            return httpx.get(self.address + "/healthz", trust_env=False).is_success
        except httpx.HTTPError:
            return False
