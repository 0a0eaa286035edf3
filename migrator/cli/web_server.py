"""The web server of the commands that answer over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp


def web_server(app: ASGIApp) -> uvicorn.Server:
    """Give a server for an application; it says nothing of itself, and only trouble in the log."""
    # It takes longer to import than most commands take to run.
    import uvicorn

    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    return uvicorn.Server(config)
