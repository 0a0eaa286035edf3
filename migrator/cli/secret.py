"""Secrets on the command line: where they are, never what they are."""

from __future__ import annotations

import click

from migrator.config.secrets import SecretRef


class _Secret(click.ParamType[SecretRef]):
    name = "env:NAME|file:PATH"

    def convert(
        self, value: str | SecretRef, param: click.Parameter | None, ctx: click.Context | None
    ) -> SecretRef:
        try:
            return value if isinstance(value, SecretRef) else SecretRef.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


SECRET = _Secret()
