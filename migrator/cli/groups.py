"""Command groups that list their commands with whole sentences, and one that imports only what is asked for."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Mapping


# In characters, so that no sentence is cut.
_LONGEST = 1000


class Listed(NamedTuple):
    """A command as the group knows it before it is imported.

    Attributes:
        where: `package.module:attribute`.
        says: The first sentence of its own help.
    """

    where: str
    says: str


class Group(click.Group):
    """Wraps what its commands say of themselves, where click would cut it."""

    group_class = type

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: D102
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.says(ctx, name)) for name in self.list_commands(ctx)])

    def says(self, ctx: click.Context, name: str) -> str:
        """Give the first sentence of a command's own help."""
        command = self.get_command(ctx, name)
        assert command is not None  # noqa: S101  it was listed
        return command.get_short_help_str(limit=_LONGEST)


def _within(group: Group, ctx: click.Context, wanted: str) -> dict[str, str]:
    """Give what commands of a name, within the groups of a group, say of themselves, by the words that lead there."""
    found: dict[str, str] = {}
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if isinstance(command, Group):
            there = _within(command, ctx, wanted)
            if wanted in command.list_commands(ctx):
                there[wanted] = command.says(ctx, wanted)
            found |= {f"{name} {words}": says for words, says in there.items()}
    return found


class LazyGroup(Group):
    """Knows its commands by the modules they live in: most runs need one of them, and help none.

    Args:
        listed: The commands by their names, in the order of the help.
    """

    def __init__(self, *args: Any, listed: Mapping[str, Listed], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.listed = listed

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002, D102
        return list(self.listed)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002, D102
        if cmd_name not in self.listed:
            return None
        module, _, attribute = self.listed[cmd_name].where.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101
        return command

    def resolve_command(  # noqa: D102
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name in self.listed or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        meant = {near: self.says(ctx, near) for near in get_close_matches(name, self.listed)}
        meant |= _within(self, ctx, name)
        lines = [f"\n  {ctx.command_path} {words}: {says}" for words, says in meant.items()]
        said = f" There is:{''.join(lines)}" if lines else ""
        raise click.UsageError(f"No such command '{name}'.{said}", ctx=ctx)

    def says(self, ctx: click.Context, name: str) -> str:  # noqa: ARG002, D102
        return self.listed[name].says
