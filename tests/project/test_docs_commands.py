"""Every command in README and runbooks is one that the real command tree takes."""

from __future__ import annotations

import importlib
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from migrator.cli.main import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "runbooks").glob("*.md"))]
PHASES = sorted((ROOT / "phases").glob("p*.py"))
INCIDENT = ROOT / "runbooks" / "incident-rollback.md"

_FENCED = re.compile(r"^[ \t]*```[^\n]*\n(.*?)^[ \t]*```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_LINE = re.compile(
    r"^\s*(?:\$ )?(?:[A-Z_]+=\S+ )*(?P<command>migrator(?: [^\n]*)?)$", re.MULTILINE
)
_CONTINUED = re.compile(r"\\\n\s*")
_SHELL = {"|", "||", "&&", ";", ">", ">>", "&"}
_REPEATED = re.compile(r"-(\w)\1+")
_PLACEHOLDER = re.compile(r"<.*>|[A-Z][A-Z0-9_.]*|.*….*|\.\.\.")


@dataclass(frozen=True)
class Command:
    """A command as written; one on a line of its own must be whole, one in a sentence may be a name."""

    text: str
    whole: bool


class WrongCommandError(Exception):
    """The command tree does not take this command; the message says why."""


def commands(page: str) -> Iterator[Command]:
    for block in _FENCED.findall(page):
        for found in _LINE.finditer(_CONTINUED.sub(" ", block)):
            yield Command(" ".join(found["command"].split()), whole=True)
    for text in _INLINE.findall(_FENCED.sub("", page)):
        words = text.split()
        if words[:1] == ["migrator"]:
            yield Command(" ".join(words), whole=False)


def check(command: Command) -> None:
    words = shlex.split(command.text, comments=True)[1:]
    end = next((place for place, word in enumerate(words) if word in _SHELL), len(words))
    _walk(cli, words[:end], whole=command.whole)


def _walk(node: click.Command, words: list[str], *, whole: bool) -> None:
    if not isinstance(node, click.Group):
        _check_leaf(node, words, whole=whole)
        return
    given, rest = _take_options(node, words, until_argument=True)
    if not rest:
        asks_for_text = {"--help", "-h", "--version"} & set(given)
        if whole and not asks_for_text:
            raise WrongCommandError(f"{node.name} needs a command")
        return
    context = click.Context(node)
    following = node.get_command(context, rest[0])
    if following is None:
        known = node.list_commands(context)
        raise WrongCommandError(f"{node.name} has no command {rest[0]}: {sorted(known)}")
    _walk(following, rest[1:], whole=whole)


def _check_leaf(node: click.Command, words: list[str], *, whole: bool) -> None:
    given, values = _take_options(node, words, until_argument=False)
    arguments = [param for param in node.params if isinstance(param, click.Argument)]
    room = (
        None if any(one.nargs == -1 for one in arguments) else sum(one.nargs for one in arguments)
    )
    if room is not None and len(values) > room:
        raise WrongCommandError(f"{node.name} takes {room} arguments, not {values}")
    for argument, value in zip(arguments, values, strict=False):
        _check_choice(argument, value)
    needed = [one for one in node.params if one.required and not set(one.opts) & set(given)]
    missing = [one.name for one in needed if not isinstance(one, click.Argument)]
    if whole and (missing or len(values) < sum(isinstance(n, click.Argument) for n in needed)):
        raise WrongCommandError(f"{node.name} also needs {missing or 'its arguments'}")


def _take_options(
    node: click.Command, words: list[str], *, until_argument: bool
) -> tuple[list[str], list[str]]:
    """Split words into names of options and the rest, checking names and choices."""
    options = {
        name: param
        for param in node.get_params(click.Context(node))
        if isinstance(param, click.Option)
        for name in (*param.opts, *param.secondary_opts)
    }
    given, rest, left = [], [], list(words)
    while left and not (until_argument and not left[0].startswith("-")):
        word = left.pop(0).strip("[]")
        if _REPEATED.fullmatch(word):
            word = word[:2]
        name, _, value = word.partition("=")
        if not name.startswith("-"):
            rest.append(word)
            continue
        if name not in options:
            raise WrongCommandError(f"{node.name} has no option {name}: {sorted(options)}")
        given.append(name)
        if not (options[name].is_flag or options[name].count):
            if not (value or left):
                raise WrongCommandError(f"{name} needs a value")
            _check_choice(options[name], value or left.pop(0).strip("[]"))
    return given, rest + left


def _check_choice(param: click.Parameter, value: str) -> None:
    if _PLACEHOLDER.fullmatch(value):
        return
    for one in value.split("|"):
        try:
            if isinstance(param.type, (click.Choice, click.types.FloatParamType, click.IntRange)):
                param.type.convert(one, param, None)
        except click.BadParameter as error:
            raise WrongCommandError(f"{param.name}: {error.message}") from error


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_on_the_page_is_real(page: Path) -> None:
    wrong = []
    for command in commands(page.read_text(encoding="utf-8")):
        try:
            check(command)
        except WrongCommandError as error:
            wrong.append(f"{command.text}: {error}")
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_names_commands(page: Path) -> None:
    assert list(commands(page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.stem)
def test_a_phase_has_one_stem_everywhere(phase: Path) -> None:
    module = importlib.import_module(f"phases.{phase.stem}")
    assert phase.stem.partition("_")[2].replace("_", "-") == module.NAME
    assert module.NAME in cli.list_commands(click.Context(cli))
    assert (ROOT / "tests" / "phases" / f"test_{phase.stem}.py").is_file()
    assert (ROOT / "runbooks" / f"{phase.stem.replace('_', '-')}.md").is_file()
    for part in ("plan", "run", "verify", "rollback", "standing"):
        assert callable(getattr(module, part))


def test_there_are_five_phases_and_a_page_for_two_in_the_morning() -> None:
    assert [phase.stem[:2] for phase in PHASES] == ["p0", "p1", "p2", "p3", "p4"]
    assert INCIDENT.is_file()


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "README.md"], ids=str)
def test_a_runbook_has_its_six_parts(page: Path) -> None:
    text = page.read_text(encoding="utf-8").lower()
    for part in ("before", "do", "check", "undo", "if it stops half-way"):
        assert re.search(rf"^##+ .*\b{part}\b", text, re.MULTILINE), part
    assert "who decides" in text


@pytest.mark.parametrize(
    "text",
    [
        "migrator preflght",
        "migrator preflight --canarys x.csv",
        "migrator preflight now",
        "migrator preflight --canaries",
        "migrator import runn",
        "migrator --verbos status",
        "migrator dual-path stage set later",
        "migrator dual-path stage sett dual",
    ],
)
def test_the_check_finds_what_is_wrong(text: str) -> None:
    with pytest.raises(WrongCommandError):
        check(Command(text, whole=False))


@pytest.mark.parametrize(
    "text",
    [
        "migrator",
        "migrator preflight",
        "migrator --config other.toml preflight --canaries=FILE.csv --json | jq .ready",
        "migrator -vv status",
        "migrator import",
        "migrator dual-path stage set STAGE",
    ],
)
def test_the_check_lets_real_commands_pass(text: str) -> None:
    check(Command(text, whole=False))


def test_a_command_on_a_line_of_its_own_must_be_whole() -> None:
    for text in ("migrator import", "migrator dual-path stage set", "migrator init"):
        with pytest.raises(WrongCommandError):
            check(Command(text, whole=True))


def test_commands_are_found_in_blocks_and_in_sentences() -> None:
    page = (
        "Run `migrator status` or `migrator\npreflight`, not `migrator.toml`.\n\n"
        "```\n$ KEY=1 migrator import run \\\n    --json\nmigrated 5 users\n```\n"
        "- item:\n\n  ```sh\n  migrator drain status\n  ```\n"
    )
    assert list(commands(page)) == [
        Command("migrator import run --json", whole=True),
        Command("migrator drain status", whole=True),
        Command("migrator status", whole=False),
        Command("migrator preflight", whole=False),
    ]
