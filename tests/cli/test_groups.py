from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest

from migrator.cli.main import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = 80


def _groups(group: click.Group, path: str = "migrator") -> Iterator[tuple[str, click.Group]]:
    yield path, group
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _groups(command, f"{path} {name}")


GROUPS = dict(_groups(cli))


def test_groups_within_groups_are_among_them() -> None:
    assert {"migrator remove", "migrator dual-path stage", "migrator auther client"} <= set(GROUPS)


def test_every_option_says_what_it_is_for() -> None:
    silent = [
        f"{path} {name} {option.opts[0]}"
        for path, group in GROUPS.items()
        for name in group.list_commands(click.Context(group))
        if (command := group.get_command(click.Context(group), name))
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    assert silent == []


@pytest.mark.parametrize("path", GROUPS)
def test_a_group_lists_its_commands_with_whole_sentences_on_80_columns(path: str) -> None:
    group = GROUPS[path]
    context = click.Context(group, info_name=path, terminal_width=COLUMNS)
    shown = group.get_help(context)
    assert max(map(len, shown.splitlines())) <= COLUMNS
    # Lines are broken at hyphens too.
    listed = "".join(shown.partition("Commands:")[2].split())
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        sentence = re.match(r".*?[.](?=\s|$)", command.help or "", re.DOTALL)
        assert sentence is not None
        assert name + "".join(sentence[0].split()) in listed
