"""A real Laravel on a database of its own. Knows nothing of pytest."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

# As site.php has them.
APP_KEY = "base64:bGFyYXZlbCBmaXh0dXJlIGtleSwgMzIgYnl0ZXMgbG8="
OLD_KEY = "base64:dGhlIGtleSBiZWZvcmUgaXQsIDMyIGJ5dGVzIGxvbmc="
SITE = Path(__file__).with_name("site.php")


@dataclass(frozen=True)
class LaravelSite:
    """Laravel's tables in one database.

    Attributes:
        dsn: The database, empty before `make`.
        keys: What identifies users.
    """

    dsn: str
    keys: Literal["integer", "uuid"] = "integer"

    def make(self) -> list[dict[str, Any]]:
        """Run the migrations, create the users, and give each with Laravel's own answers."""
        made: list[dict[str, Any]] = self._run("make")
        return made

    def set_password(self, email: str, password: str) -> None:
        """Change a password as Laravel does."""
        self._run("set_password", email, password)

    def sign_in(self, *asked: tuple[str, str]) -> list[bool]:
        """Tell for each address and password whether Laravel's login lets them in."""
        found: list[bool] = self._run("sign_in", *(text for pair in asked for text in pair))
        return found

    def _run(self, *command: str) -> Any:
        done = subprocess.run(
            ["php", SITE, *command],
            env={**os.environ, "LARAVEL_DSN": self.dsn, "LARAVEL_KEYS": self.keys},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        return json.loads(done.stdout)
