"""The mutants that may survive, each with the reason why no test could or should notice it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LIST = Path(__file__).with_name("survivors.toml")


class Change(NamedTuple):
    """What a mutant changes.

    Attributes:
        function: Its dotted name.
        was: The lines as they are written.
        now: The lines that stand there instead.
    """

    function: str
    was: str
    now: str

    @classmethod
    def of(cls, function: str, diff: Iterable[str]) -> Change:
        """Read a unified diff."""
        lines = [line for line in diff if not line.startswith(("---", "+++"))]
        return cls(function, _marked("-", lines), _marked("+", lines))


def _marked(mark: str, lines: Iterable[str]) -> str:
    return " ".join(line[1:].strip() for line in lines if line.startswith(mark))


def allowed() -> dict[Change, str]:
    """Read the list: a reason for each change."""
    listed = tomllib.loads(LIST.read_text("utf-8")).get("survivor", [])
    return {Change(s["function"], s["was"], s["now"]): s["reason"] for s in listed}


def unexplained(found: Iterable[Change], reasons: Mapping[Change, str]) -> list[Change]:
    """Give the survivors that are not listed, or without a reason."""
    return [change for change in found if not reasons.get(change)]


def outdated(found: Iterable[Change], reasons: Mapping[Change, str], package: str) -> list[Change]:
    """Give what is listed of a package and does not survive any more."""
    alive = set(found)
    return [c for c in reasons if c.function.startswith(f"{package}.") and c not in alive]


def entry(change: Change) -> str:
    """Write a change as the list has it, its reason still to be given."""
    values = {**change._asdict(), "reason": ""}
    return "\n".join(["[[survivor]]", *(f"{key} = {_quoted(v)}" for key, v in values.items()), ""])


def _quoted(text: str) -> str:
    return f"'{text}'" if "'" not in text else f"'''{text}'''"
