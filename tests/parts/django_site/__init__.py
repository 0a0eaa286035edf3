"""A real Django on a database of its own. Knows nothing of pytest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

OWN_MODEL = "people.Customer"
# One user for each of Django's hashers.
HASHERS = {
    "pbkdf2_sha256": "PBKDF2PasswordHasher",
    "pbkdf2_sha1": "PBKDF2SHA1PasswordHasher",
    "argon2": "Argon2PasswordHasher",
    "bcrypt_sha256": "BCryptSHA256PasswordHasher",
    "bcrypt": "BCryptPasswordHasher",
    "scrypt": "ScryptPasswordHasher",
    "md5": "MD5PasswordHasher",
}


@dataclass(frozen=True)
class DjangoSite:
    """Django's tables in one database.

    Attributes:
        dsn: The database, empty before `make`.
        model: `AUTH_USER_MODEL`.
    """

    dsn: str
    model: str = "auth.User"

    def make(self) -> list[dict[str, Any]]:
        """Run Django's migrations, create the users, and give each with Django's own answers."""
        made: list[dict[str, Any]] = self._run("make")
        return made

    def set_password(self, username: str, password: str) -> None:
        """Change a password as Django does."""
        self._run("set_password", username, password)

    def sign_in(self, *asked: tuple[str, str]) -> list[bool]:
        """Tell for each user name and password whether Django lets them in."""
        found: list[bool] = self._run("sign_in", *(text for pair in asked for text in pair))
        return found

    def _run(self, *command: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "tests.parts.django_site", *command],
            env={**os.environ, "DJANGO_DSN": self.dsn, "DJANGO_MODEL": self.model},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout)
