"""What a file of the removal is sent in: pieces that are done as a whole or not at all."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Wrappers in other languages cut files by the same pattern.
UNIT_PATTERN = r"^-- (unit|always): (\w+)\n"
_UNIT = re.compile(UNIT_PATTERN, re.MULTILINE)


@dataclass(frozen=True)
class Unit:
    """What is sent at once: one transaction, or one statement that must not be in one.

    Attributes:
        recorded: The guard remembers it; otherwise it is run each time and does no harm.
    """

    name: str
    text: str
    recorded: bool


def heading_of(text: str) -> str:
    """Give what stands above a file's first unit."""
    return _UNIT.split(text)[0]


def units_of(text: str) -> tuple[Unit, ...]:
    """Cut a file at its `-- unit:` and `-- always:` lines."""
    parts = _UNIT.split(text)[1:]
    return tuple(
        Unit(name, body, recorded=kind == "unit")
        for kind, name, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    )
