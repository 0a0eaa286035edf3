"""Reads a runbook as steps: commands with what they say, settings to type in, and what happens around them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COMMAND = re.compile(r"\$ (?P<text>.*?)(?:\s+# exit code (?P<code>\d))?")
_SCENE = re.compile(r"<!-- rehearsal: (.+) -->")
_FENCE = "```"
_ANYTHING = "…"


@dataclass(frozen=True)
class Typed:
    """A command.

    Attributes:
        says: Lines that its output has, in this order, among others; `…` is any text.
        line: Where it stands on the page, from 1.
    """

    text: str
    code: int
    says: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Settings:
    """A TOML block that a person types into a file."""

    text: str


@dataclass(frozen=True)
class Scene:
    """What a person or the world does at this place, by the name under which the test plays it."""

    name: str


Step = Typed | Settings | Scene


def steps(page: str) -> Iterator[Step]:
    """Read a page from top to bottom."""
    numbered = iter(enumerate(page.splitlines(), start=1))
    for number, line in numbered:
        if found := _SCENE.fullmatch(line.strip()):
            yield Scene(found[1])
        elif line.strip().startswith(_FENCE):
            block = []
            for _, inside in numbered:
                if inside.strip() == _FENCE:
                    break
                block.append(inside.strip())
            if line.strip() == f"{_FENCE}toml":
                yield Settings("\n".join(block))
            elif line.strip() == _FENCE:
                yield from _commands(block, first=number + 1)


def _commands(block: Sequence[str], *, first: int) -> Iterator[Typed]:
    begins = [place for place, line in enumerate(block) if line.startswith("$ ")]
    for place, end in zip(begins, [*begins[1:], len(block)], strict=True):
        found = _COMMAND.fullmatch(block[place])
        assert found is not None
        says = tuple(line for line in block[place + 1 : end] if line not in {"", _ANYTHING})
        yield Typed(found["text"], int(found["code"] or 0), says, first + place)


def unsaid(says: Sequence[str], output: str) -> str | None:
    """Give the first expected line that the output lacks at its place, None when it has them all."""
    lines = iter(output.splitlines())
    for wanted in says:
        if not any(is_said(wanted, line) for line in lines):
            return wanted
    return None


def is_said(wanted: str, line: str) -> bool:
    """Compare a whole line; any width of blanks is one blank."""
    pattern = ".*".join(re.escape(_narrow(part)) for part in wanted.split(_ANYTHING))
    return re.fullmatch(pattern.replace(r".*\ ", ".* ?"), _narrow(line.strip())) is not None


def _narrow(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def with_settings(config: str, block: str) -> str:
    """Give migrator.toml with each `key = value` of a block in its section."""
    section = ""
    for line in filter(None, block.splitlines()):
        if line.startswith("["):
            section = line
        else:
            config = _with_setting(config, section, line)
    return config


def _with_setting(config: str, section: str, line: str) -> str:
    before, heading, after = config.partition(f"\n{section}\n")
    assert heading, f"the configuration has no {section}"
    body, following, rest = after.partition("\n[")
    key = line.partition(" = ")[0]
    body = re.sub(rf"^{re.escape(key)} = .*\n", "", body, flags=re.MULTILINE)
    return f"{before}{heading}{line}\n{body}{following}{rest}"
