"""The small HTTP endpoint that deployment tools ask: 200 lets them go on, anything else does not.

`GET` or `POST /gates/STEP` and `/gates/STEP/NAME`. Nothing is measured in a request: the ledger answers.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from migrator.core.clock import iso
from migrator.core.errors import MigratorError
from migrator.core.redact import scrub
from migrator.dashboards.guard import NO_TOKEN, Guard, Refusal
from migrator.dashboards.step_answer import StepAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

_LETS_THROUGH, _FORBIDDEN = 200, 403
_METHODS = ["GET", "POST"]


def make_app(
    ask: Callable[[str, str | None], StepAnswer],
    *,
    token: str | None = None,
    hosts: frozenset[str] | None = None,
) -> Guard:
    """Give the application.

    Args:
        ask: Answers for a step, or for one gate of it; called in a thread for each request.
        token: What whoever asks must bring; None lets everybody ask.
        hosts: Host headers that are good, in lower case; None for any.
    """

    def answer(request: Request) -> JSONResponse:
        step, name = request.path_params["step"], request.path_params.get("name")
        try:
            found = ask(step, name)
        except MigratorError as error:
            found = StepAnswer(step, allowed=False, state="HELD", reason=scrub(error.message))
        status = _LETS_THROUGH if found.allowed else _FORBIDDEN
        return JSONResponse(_plain(found), status)

    paths = ("/gates/{step}", "/gates/{step}/{name}")
    routes = [Route(path, answer, methods=_METHODS) for path in paths]
    return Guard(Starlette(routes=routes), _refused, hosts, token)


def _refused(refusal: Refusal) -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"} if refusal is NO_TOKEN else None
    return JSONResponse({"allowed": False}, refusal.status, headers)


def _plain(found: StepAnswer) -> dict[str, Any]:
    gates = [
        {**asdict(gate), "good_until": iso(gate.good_until) if gate.good_until else None}
        for gate in found.gates
    ]
    return {**asdict(found), "gates": gates}
