"""Runs the page until somebody ends it: one reader of the state for all who look."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import uvicorn

from migrator.dashboards.web.board import Board

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from types import FrameType

    from starlette.types import ASGIApp

    from migrator.dashboards.overview import Overview

READ_EVERY_S = 3.0
LATE_S = 10.0
FAREWELL_S = 2


class Server(uvicorn.Server):
    """Lets the open streams go before it ends; otherwise it would wait for them."""

    def __init__(self, config: uvicorn.Config, board: Board) -> None:
        super().__init__(config)
        self._board = board
        self._loop = asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal."""
        self._loop.call_soon_threadsafe(self._board.close)
        super().handle_exit(sig, frame)


async def serve(
    listener: socket.socket,
    read: Callable[[], Overview],
    late: Callable[[], Overview],
    make_app: Callable[[Board], ASGIApp],
    *,
    measuring: bool,
) -> None:
    """Serve until a signal comes; an error while reading ends the server rather than leave an old page.

    Args:
        listener: Where to listen.
        read: Reads the state; what it cannot read it says in its answer.
        late: What to show while `read` does not come back.
        make_app: Makes the application.
        measuring: The server takes the gates' samples itself.
    """
    board = Board(await asyncio.to_thread(read), measuring=measuring)
    config = uvicorn.Config(
        make_app(board),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=FAREWELL_S,
    )
    server = Server(config, board)
    reading = asyncio.create_task(keep_reading(board, read, late))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await asyncio.wait({reading, serving}, return_when=asyncio.FIRST_COMPLETED)
    board.close()
    server.should_exit = True
    await serving
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    if not reading.cancelled():
        reading.result()


async def keep_reading(
    board: Board,
    read: Callable[[], Overview],
    late: Callable[[], Overview],
    *,
    every_s: float = READ_EVERY_S,
    late_s: float = LATE_S,
) -> None:
    """Read again and again; never twice at once, however long a reading takes."""
    while True:
        reading = asyncio.create_task(asyncio.to_thread(read))
        done, _ = await asyncio.wait({reading}, timeout=late_s)
        if not done:
            board.show(late())
        board.show(await reading)
        await asyncio.sleep(every_s)
