"""Stored values that other implementations made; the scripts that made them stand beside the data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from migrator.core.envelope import NO_PEPPER, Envelope
from migrator.schemes.digests import Declaration, declare
from migrator.schemes.registry import claimed_by

if TYPE_CHECKING:
    from migrator.schemes.interface import Claim

FOLDER = Path(__file__).resolve().parent.parent / "data" / "vectors"
PEPPER_ID = "vectors"


@dataclass(frozen=True)
class Vector:
    """A value with the password that belongs to it.

    Attributes:
        salt: The salt column, None without one.
        declared: What an operator would have declared, None for values that say it themselves.
    """

    scheme: str
    value: str
    password: str
    pepper: str
    salt: str | None
    declared: Declaration | None

    @property
    def claim(self) -> Claim:
        """What the registry says; fails when nobody claims the value."""
        found = claimed_by(self.value, self.salt, [self.declared] if self.declared else [])
        assert found is not None, self
        return found

    def envelope(self, *, pepper_id: str = PEPPER_ID) -> str:
        """Wrap the value as the import does."""
        claim = self.claim
        peppers = (pepper_id if claim.peppered and self.pepper else NO_PEPPER,)
        return Envelope(claim.scheme.name, self.value, peppers, claim.params).encode()


def load() -> list[Vector]:
    """Give all vectors."""
    rows = [row for path in sorted(FOLDER.glob("*.json")) for row in json.loads(path.read_text())]
    return [_vector(row) for row in rows]


def _vector(row: dict[str, object]) -> Vector:
    given = row.get("declared")
    declared = None
    if isinstance(given, dict):
        params = {str(k): str(v) for k, v in given.items() if k != "scheme"}
        declared = declare(str(given["scheme"]), params)
    salt = row.get("salt")
    return Vector(
        scheme=declared.scheme if declared else str(row["scheme"]),
        value=str(row["value"]),
        password=str(row["password"]),
        pepper=str(row["pepper"]),
        salt=None if salt is None else str(salt),
        declared=declared,
    )
