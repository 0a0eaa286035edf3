"""Starts, feeds, spoils and kills the process of `shim_program`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.parts.postgres import free_port

PROGRAM = Path(__file__).with_name("shim_program.py")
METRICS_TOKEN = "metrics-token-of-the-tests"
CONTROL_SECRET = "control-secret-of-the-tests"


@dataclass
class ShimProcess:
    """One instance. Its address stays the same over restarts.

    Attributes:
        started_at_s: Tells the program when to say that it began; None for the truth.
        log_path: Where it writes a line for each request, as the shims do; None for nowhere.
    """

    instance: str
    started_at_s: float | None = None
    log_path: Path | None = None
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> ShimProcess:
        """Start it and wait until it listens; its counters begin at zero."""
        own = {
            "MIGRATOR_METRICS_TOKEN": METRICS_TOKEN,
            "MIGRATOR_CONTROL_SECRET": CONTROL_SECRET,
            "STARTED_AT": str(self.started_at_s or ""),
            "LOG_PATH": str(self.log_path or ""),
        }
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, self.instance, str(self.port)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | own,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        return self

    def fresh(self) -> ShimProcess:
        """Have it as it is after a start: nothing counted, nothing spoilt; a start itself costs more."""
        if self.process is None:
            return self.start()
        httpx.post(f"{self.address}/_fresh").raise_for_status()
        return self

    def kill(self) -> None:
        """End it without a farewell; killing twice does no harm."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process.stdout.close()  # type: ignore[union-attr]
            self.process = None

    def restart(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self.start()

    def count(
        self,
        path: str,
        outcome: str = "accepted",
        *,
        reason: str = "",
        client: str = "browser",
        n: int = 1,
    ) -> None:
        """Let it have counted so many requests."""
        query = {
            "path": path,
            "outcome": outcome,
            "reason": reason,
            "client": client,
            "n": str(n),
        }
        httpx.post(f"{self.address}/_count", params=query).raise_for_status()

    def fault(self, name: str) -> None:
        """Spoil its answers from now on; '' mends it."""
        httpx.post(f"{self.address}/_fault?{name}").raise_for_status()
