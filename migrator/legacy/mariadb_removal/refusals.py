"""What the guard database's routines refuse with, and what else a removal's MariaDB may say."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pymysql

from migrator.core.errors import DependencyError
from migrator.core.redact import scrub
from migrator.legacy.execute import REFUSALS

if TYPE_CHECKING:
    import psycopg

_FIRST_NUMBER = 31_000
_NEXT = "; next: "
# Gone away, lost, packets out of order, shut down, killed.
_BROKEN = frozenset({0, 2006, 2013, 2014, 2055, 1053, 1927})


def refuse(error: psycopg.Error) -> NoReturn:
    """Raise what a driver's error means for the command."""
    code, said = _told(error)
    if refusal := REFUSALS.get(f"MG{code - _FIRST_NUMBER:03}"):
        what, _, hint = said.partition(_NEXT)
        raise refusal(what, hint=hint or "migrator remove status") from error
    if code in _BROKEN:
        raise DependencyError(
            "the connection to the application's database broke",
            hint="the same command again: it goes on where it stopped",
        ) from error
    raise DependencyError(
        f"MariaDB refused ({code}): {scrub(said)}",
        hint="migrator remove status tells where it stands; the same command goes on",
    ) from error


def _told(error: psycopg.Error) -> tuple[int, str]:
    cause = error.__cause__
    if isinstance(cause, pymysql.err.Error) and cause.args and isinstance(cause.args[0], int):
        return cause.args[0], str(error)
    return 0, str(error)
