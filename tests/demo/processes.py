"""The application's instances: real uvicorn processes that the demo starts, kills and restarts."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from tests.parts.program import Program


@dataclass(kw_only=True)
class Instance(Program):
    """One instance of the application."""

    def command(self) -> list[str]:
        """Give uvicorn with the demo's application."""
        command = [sys.executable, "-m", "uvicorn", "tests.demo.application:app"]
        return [*command, "--port", str(self.port), "--log-level", "warning"]
