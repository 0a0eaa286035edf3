"""Opens what the plugin sealed, and lets pass nothing but a whole value of an expected scheme."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.auther.plugin.seal import SealError
from migrator.runner.writing_back.outcome import Outcome, Verdict
from migrator.schemes.registry import claimed_by

if TYPE_CHECKING:
    from migrator.auther.plugin.events import Event
    from migrator.auther.plugin.seal import SealKey


@dataclass(frozen=True)
class Material:
    """Opens sealed passwords.

    Attributes:
        key: None where nothing is sealed.
        schemes: Those whose values go into the application.
    """

    key: SealKey | None = field(repr=False)
    schemes: frozenset[str]

    def open(self, event: Event) -> str | Verdict:
        """Give the value for the password column, or why there is none."""
        if event.sealed is None:
            return Verdict(Outcome.SEALED_EXPIRED if event.expired else Outcome.SEALED_MISSING)
        if self.key is None:
            return Verdict(Outcome.CANNOT_OPEN)
        try:
            value = self.key.open(event.sealed, user_id=event.user_id)
        except SealError:
            return Verdict(Outcome.CANNOT_OPEN)
        claim = claimed_by(value)
        if claim is None or claim.scheme.name not in self.schemes:
            return Verdict(Outcome.NOT_A_HASH)
        return value
