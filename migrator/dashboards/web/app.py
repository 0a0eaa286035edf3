"""The page, its files, and the stream of what changes on it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from migrator.core.clock import iso
from migrator.dashboards.guard import NO_TOKEN, Guard, Refusal
from migrator.dashboards.page import asset

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.requests import Request

    from migrator.core.clock import Clock
    from migrator.dashboards.web.board import Board

BEAT_S = 15.0
MAX_STREAMS = 64
TYPES = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


def make_app(
    board: Board,
    clock: Clock,
    *,
    hosts: frozenset[str],
    token: str | None = None,
    beat_s: float = BEAT_S,
) -> Guard:
    """Make the ASGI application.

    Args:
        board: What is shown.
        clock: For the beats, by which a page knows that the server lives and what time it has.
        hosts: Host headers that are good, with the port.
        token: What has to be known, None for nothing.
        beat_s: Seconds between two beats at most.
    """
    streams = Streams(board, clock, beat_s)

    async def page(_request: Request) -> Response:
        return Response(board.page(), media_type="text/html")

    routes = [
        Route("/", page),
        Route("/events", streams.answer),
        *(Route(f"/{name}", _file(name, kind)) for name, kind in TYPES.items()),
    ]
    return Guard(Starlette(routes=routes), _refused, frozenset(map(str.lower, hosts)), token)


def _refused(refusal: Refusal) -> Response:
    ask = {"WWW-Authenticate": 'Basic realm="migrator", charset="UTF-8"'}
    headers = ask if refusal is NO_TOKEN else None
    return PlainTextResponse(f"{refusal.words}\n", refusal.status, headers=headers)


class Streams:
    """Server-sent events to everybody who looks, so many at a time."""

    def __init__(self, board: Board, clock: Clock, beat_s: float) -> None:
        self._board, self._clock, self._beat_s = board, clock, beat_s
        self._open = 0

    async def answer(self, request: Request) -> Response:
        """Begin a stream where the reader left off."""
        if self._open >= MAX_STREAMS:
            return PlainTextResponse("too many are looking\n", 503, headers={"Retry-After": "30"})
        seen = request.headers.get("last-event-id") or request.query_params.get("after", "")
        return StreamingResponse(
            self._events(seen),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no"},
        )

    async def _events(self, mark: str) -> AsyncIterator[str]:
        self._open += 1
        try:
            while not self._board.closed:
                changed, mark = self._board.since(mark), self._board.mark
                if changed:
                    yield f"event: parts\nid: {mark}\ndata: {json.dumps(changed)}\n\n"
                yield f": beat\nevent: beat\ndata: {iso(self._clock.now())}\n\n"
                await self._board.news(mark, within_s=self._beat_s)
        finally:
            self._open -= 1


def _file(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    async def file(_request: Request) -> Response:
        return Response(asset(name), media_type=kind)

    return file
