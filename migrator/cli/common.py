"""What the commands share: the context, and the options that look alike everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click

from migrator.core.clock import SystemClock
from migrator.runner.notifying.afterwards import delivering

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from migrator.runner.context import Context

P = ParamSpec("P")
R = TypeVar("R")
FC = TypeVar("FC", "Callable[..., Any]", click.Command)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Say what would be done and change nothing."
)


def listen_option(default: str) -> Callable[[FC], FC]:
    """Give the option of what answers over HTTP; `default` is its address and port."""
    return click.option(
        "--listen",
        default=default,
        show_default=True,
        metavar="ADDRESS:PORT",
        help="Where to answer; elsewhere than on loopback it needs a token.",
    )


@dataclass(frozen=True)
class Invocation:
    """The root group's own options."""

    config_path: Path

    @property
    def root(self) -> Path:
        """Give the folder that paths in the configuration start from."""
        return self.config_path.resolve().parent

    def context_within(self, limit_s: float) -> Context:
        """Load the configuration and open the state, or go on without one that does not answer.

        Args:
            limit_s: How long the state has.

        Raises:
            UsageError: The configuration is missing or wrong.
        """
        from migrator.config.load import load
        from migrator.dashboards.terminal import TerminalProgress
        from migrator.runner.context import open_within

        return open_within(
            load(self.config_path),
            root=self.root,
            clock=SystemClock(),
            progress=TerminalProgress(),
            limit_s=limit_s,
        )

    def context(self) -> Context:
        """Load the configuration and open the state.

        Raises:
            UsageError: The configuration is missing or wrong.
            DependencyError: The state cannot be opened.
        """
        from migrator.config.load import load
        from migrator.dashboards.terminal import TerminalProgress
        from migrator.runner.context import make_context

        return make_context(
            load(self.config_path),
            root=self.root,
            clock=SystemClock(),
            progress=TerminalProgress(),
        )


def pass_context(command: Callable[Concatenate[Context, P], R]) -> Callable[P, R]:
    """Give a command the context as its first argument, and deliver notifications after it."""

    @click.make_pass_decorator(Invocation)
    def inner(invocation: Invocation, /, *args: P.args, **kwargs: P.kwargs) -> R:
        ctx = invocation.context()
        with delivering(ctx):
            return command(ctx, *args, **kwargs)

    return update_wrapper(inner, command)
