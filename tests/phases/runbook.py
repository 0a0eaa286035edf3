"""Reads a runbook as steps: commands with what they say, settings to type in, and what happens around them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.project.test_docs_commands import commands

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COMMAND = re.compile(r"\$ (?P<text>.*?)(?:\s+# (?P<note>.+))?")
_CODE = re.compile(r"exit code (\d)")
# Any time is as good as the one on the page.
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\dZ")
_SCENE = re.compile(r"<!-- rehearsal: (.+) -->")
_FENCE = "```"
_ANYTHING = "…"


@dataclass(frozen=True)
class Typed:
    """A command.

    Attributes:
        says: Lines that its output has, in this order, among others; `…` is any text.
        line: Where it stands on the page, from 1.
        goes_on: It ends with Ctrl-C only.
    """

    text: str
    code: int
    says: tuple[str, ...]
    line: int
    goes_on: bool = False


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
        text, note = found["text"], found["note"] or ""
        code = _CODE.search(note)
        goes_on = "--watch" in text or "Ctrl-C" in note
        yield Typed(text, int(code[1]) if code else 0, says, first + place, goes_on)


def insist(step: Typed, code: int, said: str) -> None:
    """Insist on the exit code and the output that the page tells of a command."""
    told = f"line {step.line}: $ {step.text}\nended with {code} and said:\n{said}"
    assert code == step.code, f"{told}\nand not with {step.code}"
    lacking = unsaid(step.says, said)
    assert lacking is None, f"{told}\nwhich lacks, or has elsewhere:\n{lacking}"


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
    return re.sub(r"\s+", " ", _TIME.sub("at a time", text))


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


def between(page: str, heading: str, following: str) -> str:
    """Give the part of a page from one heading to another."""
    _, found, after = page.partition(f"\n{heading}\n")
    part, ends, _ = after.partition(f"\n{following}\n")
    assert found, heading
    assert ends, following
    return part


def left_out(page: str) -> set[str]:
    """Give the commands in a page's sentences that are part of none of those that are rehearsed."""
    typed = [step.text for step in steps(page) if isinstance(step, Typed)]
    named = list(commands(page))
    whole = {one.text.partition(" #")[0] for one in named if one.whole}
    assert whole == {text for text in typed if text.startswith("migrator ")}
    in_sentences = {one.text for one in named if not one.whole}
    return {text for text in in_sentences if not any(_is_part(text, of) for of in typed)}


def _is_part(text: str, of: str) -> bool:
    words = {word for word in text.split() if not word.isupper()}
    return words <= set(of.split())
