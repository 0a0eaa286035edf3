"""A file of environment variables, NAME=value line by line, as Auther's start reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_LINE = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=(?P<value>.*)")
_PLAIN = re.compile(r"[A-Za-z0-9_./:+@%=,-]*")
_HEADER = "# For the plugin at Auther, written by `migrator import plugin --env-file`."


@dataclass(frozen=True)
class Merged:
    """What becomes of a file; names only, in order.

    Attributes:
        text: The whole file.
        added: Variables that were missing.
        changed: Variables that got another value.
        kept: Variables that have another value and keep it.
    """

    text: str
    added: tuple[str, ...]
    changed: tuple[str, ...]
    kept: tuple[str, ...]


def merge(text: str, wanted: Mapping[str, str], *, overwrite: bool = False) -> Merged:
    """Bring variables into a file; other lines stay as they are.

    Args:
        text: The file, empty for a new one.
        wanted: Values by name.
        overwrite: Replace values that differ; otherwise they are kept.

    Raises:
        UsageError: A value cannot stand on one line.
    """
    # Not splitlines(): what it takes for ends of lines beside \n may stand in the values of others.
    lines = text.removesuffix("\n").split("\n") if text else []
    present = {name: index for index, name in enumerate(map(_name, lines)) if name in wanted}
    differ = [name for name, index in present.items() if _value(lines[index]) != wanted[name]]
    if overwrite:
        for name in differ:
            lines[present[name]] = _line(name, wanted[name])
    added = [name for name in wanted if name not in present]
    if added and _HEADER not in lines:
        lines += [*([""] if lines else []), _HEADER]
    lines += [_line(name, wanted[name]) for name in added]
    changed, kept = (differ, []) if overwrite else ([], differ)
    return Merged("\n".join(lines) + "\n", tuple(added), tuple(changed), tuple(kept))


def _name(line: str) -> str:
    match = _LINE.fullmatch(line)
    return match["name"] if match else ""


def _value(line: str) -> str:
    match = _LINE.fullmatch(line)
    text = match["value"].strip() if match else ""
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1] if quoted else text


def _line(name: str, value: str) -> str:
    if _PLAIN.fullmatch(value):
        return f"{name}={value}"
    if "'" in value or not value.isprintable():
        raise UsageError(
            f"the value of {name} cannot stand in an environment file",
            hint=f"set {name} in Auther's environment by hand",
        )
    return f"{name}='{value}'"
