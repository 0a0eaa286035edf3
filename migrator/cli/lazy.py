"""A command group that imports a command's module when the command is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Mapping


class Listed(NamedTuple):
    """A command as the group knows it before it is imported.

    Attributes:
        where: `package.module:attribute`.
        says: The first sentence of its own help.
    """

    where: str
    says: str


class LazyGroup(click.Group):
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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002, D102
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.says) for name, one in self.listed.items()])
