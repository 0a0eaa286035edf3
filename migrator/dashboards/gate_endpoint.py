"""The small HTTP endpoint that deployment tools ask: 200 lets them go on, anything else does not.

`GET` or `POST /gates/STEP` and `/gates/STEP/NAME`. Nothing is measured in a request: the ledger answers.
"""

from __future__ import annotations

import hmac
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from migrator.core.clock import iso
from migrator.core.errors import MigratorError
from migrator.core.redact import scrub
from migrator.dashboards.step_answer import StepAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

_LETS_THROUGH, _UNAUTHORIZED, _FORBIDDEN, _MISDIRECTED = 200, 401, 403, 421
_METHODS = ["GET", "POST"]


def make_app(
    ask: Callable[[str, str | None], StepAnswer],
    *,
    token: str | None = None,
    hosts: frozenset[str] | None = None,
) -> Starlette:
    """Give the application.

    Args:
        ask: Answers for a step, or for one gate of it; called in a thread for each request.
        token: What a bearer must bring; None lets everybody ask.
        hosts: Host headers that are good, in lower case; None for any. A page that another name leads
            here (DNS rebinding) is refused by it.
    """

    def answer(request: Request) -> JSONResponse:
        if hosts is not None and request.headers.get("Host", "").lower() not in hosts:
            return JSONResponse({"allowed": False}, _MISDIRECTED)
        if token is not None and not _is_bearer(request, token):
            headers = {"WWW-Authenticate": "Bearer"}
            return JSONResponse({"allowed": False}, _UNAUTHORIZED, headers)
        step, name = request.path_params["step"], request.path_params.get("name")
        try:
            found = ask(step, name)
        except MigratorError as error:
            found = StepAnswer(step, allowed=False, state="HELD", reason=scrub(error.message))
        status = _LETS_THROUGH if found.allowed else _FORBIDDEN
        return JSONResponse(_plain(found), status, {"Cache-Control": "no-store"})

    paths = ("/gates/{step}", "/gates/{step}/{name}")
    return Starlette(routes=[Route(path, answer, methods=_METHODS) for path in paths])


def _is_bearer(request: Request, token: str) -> bool:
    given = request.headers.get("Authorization", "").encode()
    return hmac.compare_digest(given, f"Bearer {token}".encode())


def _plain(found: StepAnswer) -> dict[str, Any]:
    gates = [
        {**asdict(gate), "good_until": iso(gate.good_until) if gate.good_until else None}
        for gate in found.gates
    ]
    return {**asdict(found), "gates": gates}
