"""The plugin's verification inside a real better-auth, asked without HTTP."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any, Self

from tests.parts.better_auth.build import bundle
from tests.parts.better_auth.server import SCHEMA, pepper_variable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType


class Verifier:
    """A process that answers whether a password fits a stored value."""

    def __init__(self, folder: Path, peppers: Mapping[str, str]) -> None:
        settings = {
            "DATABASE_FILE": str(folder / "auther.db"),
            "SCHEMA_FILE": str(SCHEMA),
            "BETTER_AUTH_SECRET": "a secret of the tests, 32 characters or more",
        }
        secrets = {pepper_variable(name): value for name, value in peppers.items()}
        self.log_path = folder / "verifier.log"
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                ["node", str(bundle("verifier"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={"PATH": os.environ["PATH"], **settings, **secrets},
                text=True,
            )

    def answer(self, stored: str, password: str) -> dict[str, Any]:
        """Give `valid` and `ms`, or `error` where better-auth would answer 500."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"hash": stored, "password": password}) + "\n")
        stdin.flush()
        line = stdout.readline()
        assert line, self.log_path.read_text(encoding="utf-8")
        return dict(json.loads(line))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(timeout=20)
        if self._process.stdout is not None:
            self._process.stdout.close()
