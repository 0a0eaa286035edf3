"""Bearers that are not Auther's: the stage waits until somebody decided what becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.application.interface import Sign
from migrator.core.errors import HeldError

if TYPE_CHECKING:
    from migrator.application.interface import ApplicationFindings
    from migrator.runner.context import Context

SUBJECT = "preflight"
ACTION = "application"
_SURVEY = "survey"
_TABLES = "other_bearers"


def note_application(ctx: Context, found: ApplicationFindings) -> None:
    """Remember how many places in the code know bearers of others."""
    places = len(found.places(Sign.FOREIGN_BEARERS))
    with ctx.state.ledger.recorded(SUBJECT, ACTION, framework=found.framework) as facts:
        facts.update(files=found.files, foreign_bearers=places)


def check_foreign_bearers(ctx: Context) -> None:
    """Let pass when there are none, or when the configuration says what becomes of them.

    Raises:
        HeldError: Preflight saw some, and nobody decided.
    """
    ledger = ctx.state.ledger
    code, survey = (ledger.latest(SUBJECT, action, kind="outcome") for action in (ACTION, _SURVEY))
    in_code = code is not None and code.body.get("foreign_bearers", 0) > 0
    in_tables = survey is not None and _TABLES in survey.body.get("warnings", ())
    if (in_code or in_tables) and not ctx.config.shim.foreign_bearer:
        where = "code" if in_code else "database"
        raise HeldError(
            f"preflight saw in the application's {where} that it takes bearers that are not Auther's,"
            " and [shim] foreign_bearer does not say what becomes of them",
            hint="set it, generate and deploy the shim anew; where: migrator preflight --app PATH",
        )
