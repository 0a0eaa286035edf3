"""ASGI itself: its callables, an answer on the wire, what goes on to the application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from .answers import Response
from .model import Header, Scope
from .request import Request

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_MAX_FORM_BYTES = 4096
_STARTS = frozenset(("http.response.start", "websocket.accept"))


async def respond(response: Response, receive: Receive, send: Send, request: Request) -> None:
    """Give a whole answer; to a WebSocket's handshake every answer is no."""
    if request.scope["type"] == "websocket":
        # Closing before accepting makes the server answer the handshake with 403.
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [
        (b"content-length", str(len(response.body)).encode()),
        (b"cache-control", b"no-store"),
        *response.headers,
    ]
    await send({"type": "http.response.start", "status": int(response.status), "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


def adding(headers: list[Header], send: Send) -> Send:
    """Give a `send` that adds headers, read at the last moment: helpers may still add some."""

    async def sender(message: Message) -> None:
        if headers and message["type"] in _STARTS:
            message = {**message, "headers": [*message.get("headers", ()), *headers]}
        await send(message)

    return sender


def without_cookies(scope: Scope) -> Scope:
    """Give a scope whose caller is who the bearer says, whoever else this client may be."""
    kept = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
    return {**scope, "headers": kept, **({"session": {}} if "session" in scope else {})}


async def csrf_of(receive: Receive) -> str:
    """Read the CSRF token of a small form; nothing of a large one."""
    body, more = b"", True
    while more and len(body) <= _MAX_FORM_BYTES:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    form = parse_qs(body.decode("latin-1")) if len(body) <= _MAX_FORM_BYTES else {}
    return form.get("csrf", [""])[0]
