"""Who may approve what cannot be undone, or what the gates hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import field_validator

from migrator.config.name import Name
from migrator.config.section import Section
from migrator.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_FILE = "file:"
_HINT = "migrator approve keygen NAME prints one"


class ApproverSection(Section):
    """`[[approvers]]`: a person with a key.

    Attributes:
        public_key: Ed25519: base64, base64url or hex of the 32 bytes, or `file:PATH` of a file with
            one of these or PEM.
    """

    name: Name
    public_key: str

    @field_validator("public_key")
    @classmethod
    def _can_be_read(cls, text: str) -> str:
        return text if text.startswith(_FILE) else _read(text)

    def key(self, root: Path) -> str:
        """Give the public key, base64url.

        Args:
            root: Folder that a `file:` path starts from.

        Raises:
            UsageError: The file cannot be read, or holds no key.
        """
        if not self.public_key.startswith(_FILE):
            return self.public_key
        path = root / self.public_key.removeprefix(_FILE)
        try:
            return _read(path.read_text(encoding="utf-8").strip())
        except (OSError, ValueError) as error:
            raise UsageError(
                f"approver {self.name}: {path.name} holds no Ed25519 public key", hint=_HINT
            ) from error


def _read(text: str) -> str:
    # Every command reads the configuration, and few have approvers in it.
    from migrator.core.ed25519 import read_public_key  # noqa: PLC0415

    return read_public_key(text)
