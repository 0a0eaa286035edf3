"""Whether anybody still uses what was taken away, as a measurement for gates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.errors import MigratorError
from migrator.legacy.connect import open_postgres
from migrator.metrics.interface import Doubt, FactLook, Grade, no_fact
from migrator.runner.listening import screams

if TYPE_CHECKING:
    from migrator.runner.context import Context


class Refusals:
    """The server's log since the scream window was opened."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def look(self) -> FactLook:
        """Read the log on to a refusal that is planted first."""
        wanted = screams.known(self._ctx)
        if wanted is None:
            return no_fact(Grade.NO_DATA, "no scream window was opened: migrator remove apply")
        try:
            dsn = self._ctx.reveal(self._ctx.config.legacy.dsn)
            with open_postgres(dsn, doing="the removal") as connection:
                heard, counted = screams.listen(self._ctx, connection, wanted)
        except MigratorError as error:
            return no_fact(Grade.ERROR, error.message)
        value, evidence = float(heard.count), {"refused": dict(heard.refused)}
        if counted and not heard.unproven:
            return FactLook(value, evidence=evidence)
        reason = heard.unproven or "a refusal that was planted was not found in the log"
        return FactLook(value, doubts=(Doubt(Grade.UNPROVEN, reason),), evidence=evidence)
