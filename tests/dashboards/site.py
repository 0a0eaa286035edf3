"""The page's real server in a thread, which shows whatever it is told to."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn

from migrator.core.clock import SystemClock
from migrator.dashboards.web.app import make_app
from migrator.dashboards.web.board import Board
from tests.parts.postgres import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.dashboards.overview import Overview

BEAT_S = 0.2


@dataclass(frozen=True)
class Site:
    """A running server."""

    address: str
    board: Board
    loop: asyncio.AbstractEventLoop

    def show(self, over: Overview) -> None:
        """Show something else, as the reader of the state would."""

        async def shown() -> None:
            self.board.show(over)

        asyncio.run_coroutine_threadsafe(shown(), self.loop).result(10)


@contextmanager
def running_site(first: Overview, *, token: str | None = None) -> Iterator[Site]:
    """Serve on a free port until the block ends."""
    port, board, loop = free_port(), Board(first), asyncio.new_event_loop()
    hosts = frozenset({f"127.0.0.1:{port}"})
    app = make_app(board, SystemClock(), hosts=hosts, token=token, beat_s=BEAT_S)
    config = uvicorn.Config(app, port=port, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=loop.run_until_complete, args=(server.serve(),))
    thread.start()
    while not server.started:
        thread.join(0.01)
    yield Site(f"http://127.0.0.1:{port}", board, loop)
    loop.call_soon_threadsafe(board.close)
    server.should_exit = True
    thread.join(20)
    loop.close()
