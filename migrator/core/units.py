"""What a file of the removal is sent in: pieces that are done as a whole or not at all."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Wrappers in other languages cut files by the same pattern.
UNIT_PATTERN = r"^-- (unit|always): (\w+)\n"
_UNIT = re.compile(UNIT_PATTERN, re.MULTILINE)
_BEGIN = re.compile(r"^BEGIN\b[^;\n]*;\n", re.MULTILINE)
_BLOCK = re.compile(r"\A(?:--.*\n)*DO ")


@dataclass(frozen=True)
class Unit:
    """What is sent at once: one transaction, or one statement that must not be in one.

    Attributes:
        recorded: The guard remembers it; otherwise it is run each time and does no harm.
    """

    name: str
    text: str
    recorded: bool

    @property
    def needs_session(self) -> bool:
        """Tell whether it commits on the way, and so keeps what it knows in the session."""
        return _BLOCK.match(self.text) is not None


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


def looks_like_one(text: str) -> bool:
    """Tell whether a text would cut the file that it is quoted in, or be taken for the beginning of a transaction.

    Whoever may comment on a table could else have any SQL run as a piece of its own.
    """
    quoted = f"'{text}"
    return _UNIT.search(quoted) is not None or _BEGIN.search(quoted) is not None


def needs_session(text: str) -> bool:
    """Tell whether a file has a part that needs the same session from its beginning to its end."""
    return any(unit.needs_session for unit in units_of(text))


def carrying(text: str, setting: str, value: int) -> str:
    """Give a file with a setting in each of its transactions, for sessions that keep none."""
    return _BEGIN.sub(lambda begin: f"{begin[0]}SET LOCAL {setting} = '{value}';\n", text)
