"""Durations on the command line, written as in migrator.toml."""

from __future__ import annotations

from datetime import timedelta

import click

from migrator.core.durations import parse_duration


class DurationType(click.ParamType[timedelta]):
    """Reads `30s`, `15m`, `24h`, `14d`."""

    name = "duration"

    def convert(  # noqa: D102
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        if isinstance(value, timedelta):
            return value
        try:
            return parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


DURATION = DurationType()
