"""What happens in a migration and people elsewhere want to hear of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

EventKind = Literal["stage", "gate", "health"]


@dataclass(frozen=True)
class Event:
    """Something that happened.

    Attributes:
        title: In one line, e.g. `gate drain-quiet: HELD -> PASSED`.
        lines: What follows from it, and what to do.
        facts: The same for programs, JSON values only; like the texts without secrets.
    """

    kind: EventKind
    title: str
    lines: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
