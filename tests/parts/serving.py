"""A server that answers what a test says, where the real one would not be wrong in that way."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def serving(
    answer: Callable[[str], Answer],
    *,
    delay_s: float = 0,
    date: str = "",
    seen: Callable[[str], None] = lambda _: None,
) -> Iterator[str]:
    """Serve one answer for each path; give the server's address.

    Args:
        answer: Gives the answer to a path.
        delay_s: Before each byte of a body.
        date: For the header Date, in place of the time.
        seen: Gets each request's header Authorization.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen(self.headers.get("Authorization", ""))
            status, headers, body = answer(self.path)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            for place in range(0, len(body), 1 if delay_s else len(body) or 1):
                time.sleep(delay_s)
                self.wfile.write(body[place : place + (1 if delay_s else len(body))])

        do_POST = do_GET  # noqa: N815 (the server's own naming)

        def date_time_string(self, timestamp: float | None = None) -> str:
            return date or super().date_time_string(timestamp)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
