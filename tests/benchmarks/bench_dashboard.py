"""What the page costs after 90 days: `python -m tests.benchmarks.bench_dashboard`.

A refresh is everything that the server does for it, in processor time: reading the state, judging the gates, drawing all parts,
putting the page together; beside it a request to an empty Starlette application on the same server. `drain watch` runs in a terminal of its own
against a real PostgreSQL and two instances. Ceilings: 50 ms and 200 KB a refresh, 1 % of a core for the watch.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pty
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import uvicorn
from sqlalchemy import insert
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from migrator.cli.standings import standings_of
from migrator.core.clock import SystemClock, iso
from migrator.dashboards.page import document, parts
from migrator.dashboards.web.app import make_app
from migrator.dashboards.web.board import Board
from migrator.gates.spec import spec_of
from migrator.runner.overview import Reader
from migrator.state.schema import drain_counts, forecasts, samples
from migrator.state.store import open_to_read
from phases import p3_drain
from tests.benchmarks.processes import cpu_s
from tests.parts.drain import Drain
from tests.parts.postgres import embedded_binaries, free_port, start_postgres
from tests.parts.shim_process import ShimProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp

    from migrator.runner.context import Context

MAX_REFRESH_MS, MAX_PAGE_KB, MAX_WATCH_PERCENT = 50, 200, 1
DAYS, ROUNDS = 90, 40
SESSIONS = 5_000
GATE = """
[[gates]]
name = "{name}"
before = "auther"
measure = "{measure}"
at_most = 0
consecutive = 12
span = "24h"
"""
GATES = {
    "quiet": "legacy_requests",
    "sessions": "legacy_sessions",
    "conflicts": "identity_conflicts",
    "verification": "verification_unavailable",
    "differences": "import_differences",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--watch-s", type=int, default=90)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        drain = stack.enter_context(_drain())
        _fill(drain.context(), arguments.days)
        refresh_ms = _refreshes(drain, arguments.days)
        _requests(drain, refresh_ms)
        _watch(drain, arguments.watch_s)


@contextmanager
def _drain() -> Iterator[Drain]:
    server = start_postgres(embedded_binaries())
    shims = tuple(ShimProcess(name).start() for name in ("web-1", "web-2"))
    try:
        with tempfile.TemporaryDirectory() as folder:
            drain = Drain(Path(folder), server.create_database("drain"), shims)
            os.environ.update(drain.env)
            drain.prepare()
            drain.configure("".join(GATE.format(name=n, measure=m) for n, m in GATES.items()))
            settings = drain.root / "migrator.toml"
            settings.write_text(
                settings.read_text().replace('interval = "1s"', 'interval = "30s"', 1)
            )
            drain.sign_in("user", rows=200)
            drain.sign_in("visitor", rows=SESSIONS)
            yield drain
    finally:
        for shim in shims:
            shim.kill()
        server.stop()


def _fill(ctx: Context, days: int) -> None:
    """Write what so many days of watching leave."""
    now = ctx.clock.now()
    began = {"stage": "drain", "percent": 100.0}
    ctx.state.ledger.intent(
        "stage", "set", before={"stage": "dual", "percent": 100.0}, after=began
    )
    with ctx.state.engine.begin() as connection:
        for gate in ctx.config.gates:
            spec = spec_of(ctx.config, gate)
            base = {"at": iso(now), "marks": {n: [1.0, 5.0, iso(now)] for n in ("web-1", "web-2")}}
            evidence = json.dumps({"increments": {"web-1": 0}, "base": base, "spec": spec.hash})
            rows = [
                {
                    "gate": gate.name,
                    "at": iso(at),
                    "grade": "OK",
                    "value": 0.0,
                    "reason": "",
                    "evidence": evidence,
                }
                for at in (now - n * spec.interval for n in range(days * 288))
            ]
            connection.execute(insert(samples), rows)
        half_hours = [now - n * timedelta(minutes=30) for n in range(1, days * 48)]
        connection.execute(
            insert(drain_counts),
            [{"at": iso(at), "holding": 200 + n} for n, at in enumerate(half_hours)],
        )
        made = [
            {"at": iso(at), "rest": r, "p50": None, "p90": None, "why": "?"}
            for at in half_hours
            for r in (0, 10)
        ]
        connection.execute(insert(forecasts), made)
    for n in range(days * 5):
        ctx.state.ledger.note("gate", "quiet", state=("HELD", "PASSED")[n % 2], samples=n)
    p3_drain.watch(ctx, p3_drain.plan(ctx, step="auther"))


def _reader(drain: Drain) -> Reader:
    """Read as `migrator dashboard` does."""
    written = drain.context()
    url, root, clock = written.config.state.url, written.root, written.clock
    ctx = replace(written, state=open_to_read(url, root=root, clock=clock))
    return Reader(
        ctx,
        recall=lambda: p3_drain.recall(ctx, p3_drain.plan(ctx, step="auther")),
        standings=lambda: standings_of(ctx),
    )


def _refreshes(drain: Drain, days: int) -> float:
    reader = _reader(drain)

    def page() -> bytes:
        over = reader.read()
        return document(over, parts(over), mark="1-1", measuring=False).encode()

    first, size = _worked(page), len(page())
    everything = [_worked(page) for _ in range(ROUNDS)]
    reading = [_worked(reader.read) for _ in range(ROUNDS)]
    median = statistics.median(everything)
    print(
        f"refresh after {days} days: {median:.1f} ms (slowest of {ROUNDS} {max(everything):.1f} ms, the first"
        f" {first:.1f} ms with the whole ledger checked), of it {statistics.median(reading):.1f} ms reading the"
        f" state; page {size / 1000:.0f} KB; ceilings {MAX_REFRESH_MS} ms, {MAX_PAGE_KB} KB"
    )
    return median


def _requests(drain: Drain, refresh_ms: float) -> None:
    reader = _reader(drain)
    board = Board(reader.read())
    empty = Starlette(routes=[Route("/", lambda _request: Response())])
    apps: dict[str, Callable[[int], ASGIApp]] = {
        "empty Starlette": lambda _port: empty,
        "the page": lambda port: make_app(
            board, SystemClock(), hosts=frozenset({f"127.0.0.1:{port}"})
        ),
    }
    found = {name: _request_ms(make) for name, make in apps.items()}
    said = ", ".join(f"{name} {ms:.2f} ms" for name, ms in found.items())
    ratio = refresh_ms / found["empty Starlette"]
    print(
        f"a request over HTTP, client and server: {said}; a refresh is {ratio:.0f} empty requests, once for all who look"
    )


def _request_ms(make: Callable[[int], ASGIApp]) -> float:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(make(port), port=port, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        client.get("/").raise_for_status()
        began = time.process_time()
        for _ in range(ROUNDS):
            client.get("/").raise_for_status()
    server.should_exit = True
    thread.join()
    return 1000 * (time.process_time() - began) / ROUNDS


def _watch(drain: Drain, seconds: int) -> None:
    terminal, inside = pty.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    threading.Thread(target=_drink, args=(terminal,), daemon=True).start()
    command = [sys.executable, "-m", "migrator", "drain", "watch", "--before", "auther"]
    with subprocess.Popen(
        command, cwd=drain.root, stdin=inside, stdout=inside, stderr=inside
    ) as ran:
        time.sleep(15)
        before, began = cpu_s(ran.pid), time.monotonic()
        time.sleep(seconds)
        percent = 100 * (cpu_s(ran.pid) - before) / (time.monotonic() - began)
        ran.terminate()
    print(
        f"drain watch, a look every 30 s at {SESSIONS:,} sessions: {percent:.2f} % of a core over {seconds} s;"
        f" ceiling {MAX_WATCH_PERCENT} %"
    )


def _drink(terminal: int) -> None:
    while True:
        try:
            os.read(terminal, 65536)
        except OSError:
            return


def _worked(work: Callable[[], object]) -> float:
    """Processor milliseconds."""
    began = time.process_time()
    work()
    return 1000 * (time.process_time() - began)


if __name__ == "__main__":
    main()
