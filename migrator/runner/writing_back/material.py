"""Opens what the plugin sealed, and lets pass nothing but a whole value of the expected scheme."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.auther.seal import open_sealed
from migrator.runner.writing_back.outcome import Outcome, Verdict
from migrator.schemes.registry import claimed_by

if TYPE_CHECKING:
    from migrator.auther.events import Event


@dataclass(frozen=True)
class Material:
    """Opens sealed passwords.

    Attributes:
        private_key: X25519, base64url; None where there is none to be had.
        scheme: The only one whose values go into the application.
    """

    private_key: str | None = field(repr=False)
    scheme: str

    def open(self, event: Event) -> str | Verdict:
        """Give the value for the password column, or why there is none."""
        if event.sealed is None:
            return Verdict(Outcome.SEALED_EXPIRED if event.expired else Outcome.SEALED_MISSING)
        if self.private_key is None:
            return Verdict(Outcome.CANNOT_OPEN)
        try:
            value = open_sealed(event.sealed, self.private_key, user_id=event.user_id)
        except ValueError:
            return Verdict(Outcome.CANNOT_OPEN)
        claim = claimed_by(value)
        if claim is None or claim.scheme.name != self.scheme:
            return Verdict(Outcome.NOT_A_HASH)
        return value
