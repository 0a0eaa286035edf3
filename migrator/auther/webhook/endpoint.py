"""The door for Auther's deliveries: POST /webhooks/auther."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from migrator.auther.webhook.delivery import Refusal, RefusedDeliveryError

if TYPE_CHECKING:
    from starlette.requests import Request

    from migrator.auther.webhook.receiver import Receiver

PATH = "/webhooks/auther"
MAX_BYTES = 65_536
_STATUS = {
    Refusal.TOO_LARGE: 413,
    Refusal.NO_SIGNATURE: 401,
    Refusal.BAD_SIGNATURE: 401,
    # Auther tries again after anything but a 2xx; these will not get better.
    Refusal.MALFORMED: 400,
    Refusal.OUT_OF_TIME: 400,
}


def make_app(receiver: Receiver) -> Starlette:
    """Give the application: 204 for a delivery that is believed, also when it comes again."""

    async def take(request: Request) -> Response:
        try:
            receiver.take(request.headers, await _body(request, receiver))
        except RefusedDeliveryError as error:
            return JSONResponse({"error": str(error.why)}, _STATUS[error.why])
        return Response(status_code=204)

    return Starlette(routes=[Route(PATH, take, methods=["POST"])])


async def _body(request: Request, receiver: Receiver) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            error = RefusedDeliveryError(Refusal.TOO_LARGE)
            receiver.refuse(error)
            raise error
    return body
