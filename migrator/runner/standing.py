"""Where a phase stands, for `migrator status`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Standing:
    """One phase's line.

    Attributes:
        state: In a few words, e.g. `done`, `interrupted at 12,000 users`, `not begun`.
        held: What holds it, each with its reason.
        next_command: The exact command to run next, empty when the phase is done.
    """

    state: str
    held: tuple[str, ...] = ()
    next_command: str = ""

    @property
    def done(self) -> bool:
        """Tell whether nothing is left to do here."""
        return not self.next_command
