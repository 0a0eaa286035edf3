"""Secrets on the command line: where they are, never what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from migrator.config.secrets import SecretRef
from migrator.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

MIN_TOKEN = 20


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


def token_of(secret: SecretRef, root: Path) -> str:
    """Give the token that a server asks for.

    Raises:
        UsageError: It is not there, or so short that somebody could guess it.
    """
    token = secret.reveal(root)
    if len(token) < MIN_TOKEN:
        raise UsageError(
            f"{secret} has fewer than {MIN_TOKEN} characters", hint="make a longer one"
        )
    return token
