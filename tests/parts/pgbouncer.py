"""PgBouncer in transaction mode before a PostgreSQL. Knows nothing of pytest."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tests.parts.postgres import end_with_parent, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

START_WITHIN_S = 60
SETTINGS = """[databases]
* = host={host} port={port} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
{more}
"""


@contextmanager
def pgbouncer(dsn: str, *, more: str = "") -> Iterator[str]:
    """Run PgBouncer before the server of a DSN and give the DSN through it.

    Args:
        dsn: The database.
        more: More lines of its configuration.

    Raises:
        RuntimeError: It did not start; with what it said.
    """
    folder = Path(tempfile.mkdtemp(prefix="migrator-pgbouncer-"))
    server, listen = conninfo_to_dict(dsn), free_port()
    file = folder / "pgbouncer.ini"
    file.write_text(SETTINGS.format(**server, listen=listen, more=more))
    nobody = pwd.getpwnam("nobody")
    if os.geteuid() == 0:
        for path in (folder, file):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["pgbouncer", file],
            env={**os.environ, "PATH": f"{os.environ['PATH']}{os.pathsep}/usr/sbin"},
            stdout=log,
            stderr=log,
            # It refuses to run as root.
            user=nobody.pw_uid if os.geteuid() == 0 else None,
            preexec_fn=end_with_parent,  # noqa: PLW1509
        )
    through = f"postgresql://{server['user']}@127.0.0.1:{listen}/{server['dbname']}"
    try:
        _wait(process, through, folder / "log")
        yield through
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(process: subprocess.Popen[bytes], dsn: str, log: Path) -> None:
    deadline_s = time.monotonic() + START_WITHIN_S
    while process.poll() is None and time.monotonic() < deadline_s:
        try:
            psycopg.connect(dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"PgBouncer did not start: {log.read_text(errors='replace')[-2000:]}")
