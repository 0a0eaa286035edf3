"""A small local OpenID issuer in Auther's shape, with switches for everything that can go wrong.

It gives tokens and key sets that no real issuer would. Runs in a thread of this process, on
loopback only, and needs nothing but `cryptography`.
"""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from typing import Any, Self

from migrator.conformance.issuer_http import handler_for
from migrator.conformance.issuing import Issuing


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let a client hang up; anything else is printed as usual."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@dataclass
class Issuer(Issuing):
    """An issuer on a loopback port. Use as a context manager, or start() and stop()."""

    def start(self) -> Self:
        """Listen on the port (0: any free one).

        Raises:
            OSError: Somebody else listens there.
        """
        self.server = _Server(("127.0.0.1", self.port), handler_for(self))
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def stop(self) -> None:
        """Close the port."""
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()
