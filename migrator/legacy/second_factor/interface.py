"""What a library that keeps TOTP secrets is to us."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

_BASE32 = re.compile(r"[A-Z2-7]{8,}")


class Fault(StrEnum):
    """Why a user's secret stays closed; closed itself, and counted."""

    NO_SECRET = "no_secret"  # noqa: S105
    MALFORMED = "malformed"
    WRONG_KEY = "wrong_key"


@dataclass(frozen=True)
class Secret:
    """What an authenticator application holds, in Base32; shows in no representation."""

    base32: str

    def __repr__(self) -> str:
        return "Secret(…)"


class Vault(Protocol):
    """Opens what one library wrote.

    Attributes:
        columns: Those of the users table that it needs, in this order.
    """

    @property
    def columns(self) -> tuple[str, ...]:
        """Name the columns of the users table that are needed."""
        ...

    def open(self, values: Sequence[str | None]) -> Secret | Fault:
        """Open a user's secret.

        Args:
            values: What stands in `columns`.
        """
        ...


def secret_of(plain: bytes) -> Secret | Fault:
    """Read what was inside, which every library here writes as Base32."""
    text = plain.decode("ascii", "replace").strip().rstrip("=").upper()
    return Secret(text) if _BASE32.fullmatch(text) else Fault.MALFORMED
