"""How little a command imports before it runs: an operator waits for nothing that is not needed."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, get_args

import click
import pytest

from migrator.cli.drain import KINDS
from migrator.cli.main import COMMANDS, cli
from migrator.cli.shadow import GOOD_PERCENT
from migrator.runner.gating import who
from migrator.runner.importing.shadow import GOOD_SHARE
from migrator.runner.standing_up.capacity import Through

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAVY = frozenset(
    [
        "asyncio",
        "bcrypt",
        "cryptography",
        "httpx",
        "importlib.metadata",
        "jinja2",
        "multiprocessing",
        "prometheus_client",
        "psycopg",
        "pydantic",
        "pydantic_core",
        "pyrage",
        "sqlalchemy",
        "starlette",
        "structlog",
        "tenacity",
        "tree_sitter",
        "uvicorn",
    ]
)
# What is imported for the help of all commands, and then for every command's own.
HELP = """
import json, sys
import click
from migrator.cli.main import cli

def imported(command):
    click.echo(command.get_help(click.Context(command)), err=True)
    return sorted(sys.modules)

def walk(group):
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        imported(command)
        if isinstance(command, click.Group):
            walk(command)

of_all = imported(cli)
walk(cli)
print(json.dumps([of_all, sorted(sys.modules)]))
"""


@pytest.fixture(scope="module")
def imported() -> tuple[set[str], set[str]]:
    ran = subprocess.run(
        [sys.executable, "-c", HELP], capture_output=True, text=True, check=True, timeout=60
    )
    of_all, of_each = json.loads(ran.stdout)
    return set(of_all), set(of_each)


def test_the_list_of_commands_imports_none_of_them(imported: tuple[set[str], set[str]]) -> None:
    of_all, _ = imported
    own = {name for name in of_all if name.startswith("migrator.cli.")}
    assert own == {"migrator.cli.main", "migrator.cli.groups"}


def test_no_command_needs_a_heavy_package_for_its_help(
    imported: tuple[set[str], set[str]],
) -> None:
    _, of_each = imported
    assert {one.where.partition(":")[0] for one in COMMANDS.values()} <= of_each
    assert not HEAVY & of_each
    assert not {name for name in of_each if name.startswith("phases.")}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_with_the_first_sentence_of_its_help(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert COMMANDS[name].says == command.get_short_help_str(limit=200)


def choices(*path: str, option: str) -> Iterator[str]:
    command: click.Command = cli
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    (asked,) = [one for one in command.params if one.name == option]
    assert isinstance(asked.type, click.Choice)
    yield from asked.type.choices


def test_options_take_what_the_work_knows() -> None:
    assert set(KINDS) == set(who.KINDS)
    assert set(choices("auther", "capacity", option="through")) == set(get_args(Through))
    assert pytest.approx(GOOD_SHARE) == GOOD_PERCENT / 100
