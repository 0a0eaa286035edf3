"""Proxies on 127.0.0.1 between the program under test and a real server, which break when told to."""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import StrEnum
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

_CHUNK = 16_384
_RESET = struct.pack("ii", 1, 0)
_UPSTREAM_TIMEOUT_S = 60
_HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "transfer-encoding",
    "content-encoding",
    "content-length",
}


def reset(connection: socket.socket) -> None:
    """Close a connection with RST, as a crashed server or a failover does."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        # Wakes the thread that waits for data; the socket lives on as long as somebody reads it.
        connection.shutdown(socket.SHUT_RD)
    connection.close()


class FaultyTcp:
    """Passes bytes through; cuts everything when the server has sent so many bytes.

    Attributes:
        port: Where it listens.
        cuts: How often it has cut.
        passed: Bytes that the server has sent.
    """

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._left: int | None = None
        self._refuse_until_s = 0.0
        self._lock = threading.Lock()
        self.cuts = 0
        self.passed = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, sent_bytes: int, *, away_s: float = 0) -> None:
        """Cut all connections once the server has sent so much, and refuse new ones for a while."""
        with self._lock:
            self._left, self._away_s = sent_bytes, away_s

    def calm(self) -> None:
        """Forget a cut that has not come about yet."""
        with self._lock:
            self._left = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A close alone would leave the thread that accepts where it is.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._cut_all()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if time.monotonic() < self._refuse_until_s:
                reset(client)
                continue
            self._join(client)

    def _join(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._upstream))
        except OSError:
            reset(client)
            return
        self._open |= {client, server}
        for source, sink, counted in ((client, server, False), (server, client, True)):
            threading.Thread(
                target=self._pump, args=(source, sink), kwargs={"counted": counted}, daemon=True
            ).start()

    def _pump(self, source: socket.socket, sink: socket.socket, *, counted: bool) -> None:
        try:
            while data := source.recv(_CHUNK):
                if counted and self._is_spent(len(data)):
                    self._cut_all()
                    return
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            # A side that vanished: the other one must hear of it, or it keeps its locks.
            reset(sink)

    def _is_spent(self, count: int) -> bool:
        with self._lock:
            self.passed += count
            if self._left is None:
                return False
            self._left -= count
            if self._left > 0:
                return False
            self._left = None
            self._refuse_until_s = time.monotonic() + self._away_s
            self.cuts += 1
            return True

    def _cut_all(self) -> None:
        # Who was cut off first may be back before the last one is.
        gone, self._open = self._open, set()
        for one in gone:
            reset(one)


class Fault(StrEnum):
    """What can happen to a request over HTTP."""

    TOO_MANY = "429 with X-Retry-After"
    SERVER_ERROR = "500"
    RESET_BEFORE = "reset before the server saw it"
    RESET_AFTER = "reset after the server has answered"
    HALF_ANSWER = "the answer breaks off"
    SLOW = "no answer in time"
    AWAY = "away for a while"


@dataclass(frozen=True)
class Planned:
    """A fault that happens to one request.

    Attributes:
        request: Counted from 0, over all requests through the proxy.
        seconds: How long an absence or a delay lasts.
    """

    request: int
    fault: Fault
    seconds: float = 1


class Answer(NamedTuple):
    """What the server said, without what concerns one connection only."""

    status: int
    headers: list[tuple[str, str]]
    content: bytes


class FaultyHttp:
    """A reverse proxy whose n-th request fails as planned; all others pass.

    Attributes:
        base_url: Where it listens.
        happened: The faults so far.
    """

    def __init__(self, upstream: str, planned: Iterable[Planned] = ()) -> None:
        self.plan = {each.request: each for each in planned}
        self.happened: list[Fault] = []
        self.requests = 0
        self._lock = threading.Lock()
        self._away_until_s = 0.0
        self._upstream = urlsplit(upstream).netloc
        self._server = _Server(self)
        self.base_url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def next_fault(self) -> Planned | None:
        """Count a request and say what happens to it."""
        with self._lock:
            number, self.requests = self.requests, self.requests + 1
            if time.monotonic() < self._away_until_s:
                return Planned(number, Fault.RESET_BEFORE)
            planned = self.plan.pop(number, None)
            if planned is None:
                return None
            self.happened.append(planned.fault)
            if planned.fault is Fault.AWAY:
                self._away_until_s = time.monotonic() + planned.seconds
            return planned

    def forward(
        self, method: str, path: str, headers: Iterable[tuple[str, str]], body: bytes
    ) -> Answer:
        """Send a request on, over a connection of its own."""
        kept = {k: v for k, v in headers if k.lower() not in {*_HOP_BY_HOP, "host"}}
        with closing(HTTPConnection(self._upstream, timeout=_UPSTREAM_TIMEOUT_S)) as connection:
            connection.request(method, path, body, kept)
            found = connection.getresponse()
            sent = [(k, v) for k, v in found.getheaders() if k.lower() not in _HOP_BY_HOP]
            return Answer(found.status, sent, found.read())


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, proxy: FaultyHttp) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    protocol_version = "HTTP/1.1"
    # Head and body in one packet; otherwise each answer waits 40 ms for an acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        planned = self.server.proxy.next_fault()
        fault = planned.fault if planned else None
        if fault in {Fault.RESET_BEFORE, Fault.AWAY}:
            self._reset()
        elif fault is Fault.TOO_MANY:
            self._answer(429, [("X-Retry-After", "1")], b'{"message":"Too many requests"}')
        elif fault is Fault.SERVER_ERROR:
            self._answer(500, [], b"")
        else:
            self._pass_on(body, planned)

    def _pass_on(self, body: bytes, planned: Planned | None) -> None:
        answer = self.server.proxy.forward(self.command, self.path, self.headers.items(), body)
        fault = planned.fault if planned else None
        if fault is Fault.RESET_AFTER:
            self._reset()
            return
        if planned and fault is Fault.SLOW:
            time.sleep(planned.seconds)
        with suppress(OSError):
            self._answer(
                answer.status,
                answer.headers,
                answer.content,
                sent=len(answer.content) // 2 if fault is Fault.HALF_ANSWER else None,
            )
        if fault is Fault.HALF_ANSWER:
            self._reset()

    def _answer(
        self,
        status: int,
        headers: Iterable[tuple[str, str]],
        body: bytes,
        *,
        sent: int | None = None,
    ) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if sent is None else body[:sent])
        self.wfile.flush()

    def _reset(self) -> None:
        self.close_connection = True
        reset(self.connection)

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()
