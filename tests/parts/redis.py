"""A real Redis server for the tests, from Debian's binaries. Knows nothing of pytest.

It listens on 127.0.0.1 at a free port, asks for a password and writes nothing to disk.
"""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import redis

from tests.parts.postgres import end_with_parent, free_port

START_TIMEOUT_SECONDS = 30


@dataclass
class RedisServer:
    """A running server of one process."""

    process: "subprocess.Popen[bytes]"
    directory: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        """The address of its first database."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def connect(self) -> "redis.Redis":
        """A connection of the application."""
        return redis.Redis.from_url(self.url, protocol=2)

    def stop(self) -> None:
        """Kill the server and remove its folder; twice does no harm."""
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def start_redis(*options: str, port: int = 0, password: str = "") -> RedisServer:
    """Start a server and wait until it answers.

    Args:
        options: Settings for its command line, e.g. `--replicaof 127.0.0.1 6379`.
        port: 0 for a free one.
        password: Empty for a new one.

    Raises:
        RuntimeError: it did not start; the message holds the end of its log.
    """
    directory = Path(tempfile.mkdtemp(prefix="migrator-redis-"))
    port, password = port or free_port(), password or secrets.token_hex(12)
    # A command line can be read by everybody on the machine.
    settings = directory / "redis.conf"
    settings.touch(mode=0o600)
    settings.write_text(
        f"bind 127.0.0.1\nport {port}\nrequirepass {password}\nmasterauth {password}\n"
        f'save ""\nappendonly no\ndir {directory}\nrepl-diskless-sync-delay 0\n'
    )
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            ["redis-server", settings, *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=os.environ,
            # Even a killed test run must not leave a server behind.
            preexec_fn=partial(end_with_parent, signal.SIGKILL),  # noqa: PLW1509
        )
    server = RedisServer(process, directory, port, password)
    _wait_until_ready(server)
    return server


def _wait_until_ready(server: RedisServer) -> None:
    deadline_s = time.monotonic() + START_TIMEOUT_SECONDS
    while server.process.poll() is None and time.monotonic() < deadline_s:
        try:
            server.connect().ping()
        except redis.RedisError:
            time.sleep(0.02)
        else:
            return
    log = (server.directory / "log").read_text(errors="replace")[-2000:]
    server.stop()
    raise RuntimeError(f"Redis did not start: {log}")
