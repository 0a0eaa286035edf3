"""A real HTTP server that receives webhooks, and fails as it is told."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    """One request."""

    headers: dict[str, str]
    body: str


@dataclass
class Receiver:
    """Answers with the statuses and headers in `answers`, one after the other, then with 200.

    Attributes:
        holds: While it is not set, a request waits for it.
    """

    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    holds: threading.Event = field(default_factory=threading.Event)
    server: ThreadingHTTPServer = field(init=False)

    def __post_init__(self) -> None:
        receiver = self
        self.holds.set()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length).decode()
                receiver.received.append(Received(dict(self.headers), body))
                receiver.holds.wait(30)
                status, headers = receiver.answers.pop(0) if receiver.answers else (200, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens; the path is as secret as Slack's."""
        return f"http://127.0.0.1:{self.server.server_port}/services/T0/s3cr3t"

    def stop(self) -> None:
        """End it."""
        self.holds.set()
        self.server.shutdown()
        self.server.server_close()
