"""Serves the club: `serve.py SETTINGS PORT WORKERS`, each worker a process with threads."""

import os
import signal
import sys

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application


class Quiet(WSGIRequestHandler):
    """Writes no line for a request."""

    def log_message(self, *_: object) -> None:
        """Keep the log for what the application says."""


def main(settings: str, port: int, workers: int) -> None:
    """Load the application once, as a server that preloads does, and fork."""
    os.environ["DJANGO_SETTINGS_MODULE"] = settings
    application = get_wsgi_application()
    server = ThreadedWSGIServer(("127.0.0.1", port), Quiet)
    server.daemon_threads = True
    server.set_app(application)
    children = [child for _ in range(workers - 1) if (child := os.fork())]
    if len(children) == workers - 1:
        signal.signal(signal.SIGTERM, lambda *_: _end(children))
    server.serve_forever()


def _end(children: list[int]) -> None:
    for child in children:
        os.kill(child, signal.SIGKILL)
    sys.exit()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
