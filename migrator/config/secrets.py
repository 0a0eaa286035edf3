"""Secrets come from the environment or from files with mode 0600, and from nowhere else."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

_REFERENCE = re.compile(r"(?P<kind>env|file):(?P<name>.+)")
_OTHERS = 0o077


@dataclass(frozen=True)
class SecretRef:
    """Where a secret is, never the secret itself; printing one shows the reference.

    Attributes:
        kind: `env` or `file`.
        name: The variable's name or the file's path, relative to the folder of migrator.toml.
    """

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    def reveal(self, root: Path) -> str:
        """Read the secret.

        Args:
            root: Folder that relative paths start from.

        Raises:
            UsageError: The variable is not set or empty, the file is missing, or others may read it.
        """
        value = os.environ.get(self.name, "") if self.kind == "env" else self._read(root)
        if not value:
            raise UsageError(f"{self} is empty or not set", hint=f"set {self.name} and try again")
        return value

    def _read(self, root: Path) -> str:
        path = root / self.name
        if not path.is_file():
            raise UsageError(
                f"{self}: there is no such file", hint="migrator init makes key files"
            )
        if path.stat().st_mode & _OTHERS:
            raise UsageError(
                f"{self}: other users may read this file", hint=f"chmod 600 {self.name}"
            )
        return path.read_text(encoding="utf-8").strip()

    @classmethod
    def parse(cls, text: str) -> SecretRef:
        """Read `env:NAME` or `file:PATH`.

        Raises:
            ValueError: It is something else; the text is not repeated, it may be the secret.
        """
        match = _REFERENCE.fullmatch(text)
        if match is None:
            raise ValueError(
                "a secret is written as env:NAME or file:PATH, never in the file itself"
            )
        return cls(match["kind"], match["name"])

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        # Options are secrets too, and need no pydantic.
        from pydantic_core import core_schema  # noqa: PLC0415

        return core_schema.no_info_after_validator_function(cls.parse, core_schema.str_schema())
