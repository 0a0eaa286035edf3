"""`migrator dashboard`: the page that people look at, or one file of it for a change request."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrator.cli.address import DEFAULT_ADDRESS, Address
from migrator.cli.common import listen_option, pass_context
from migrator.cli.drain import before_option
from migrator.cli.secret import token_of
from migrator.config.secrets import SecretRef
from migrator.core.errors import DependencyError, MigratorError, UsageError
from migrator.gates.spec import REMOVE
from migrator.runner.notifying.afterwards import deliver_soon

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from migrator.dashboards.page import Request
    from migrator.runner.context import Context
    from migrator.runner.overview import Reader

FAREWELL_S = 10


@click.command()
@listen_option(DEFAULT_ADDRESS)
@click.option(
    "--token", metavar="env:NAME", help="Who looks must know it; without one, loopback only."
)
@click.option("--host", "names", multiple=True, help="A further name that browsers reach it by.")
@before_option
@click.option("--measure", is_flag=True, help="Also do what `drain watch` does, in its place.")
@click.option(
    "--save",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write one file and end.",
)
@click.option(
    "--approver",
    "approvers",
    multiple=True,
    help="With --save: who is asked; default: [[approvers]].",
)
@pass_context
def dashboard(  # noqa: PLR0913, PLR0917 (click hands over each option by itself)
    ctx: Context,
    listen: str,
    token: str | None,
    names: tuple[str, ...],
    step: str | None,
    measure: bool,
    file: Path | None,
    approvers: tuple[str, ...],
) -> None:
    """Show the whole cutover as a web page, read-only; Ctrl-C ends it.

    It shows what `migrator drain watch` measured last and measures nothing by itself, so any number of
    people may look without disturbing a gate.
    """
    from migrator.state.store import open_to_read

    reading = replace(
        ctx, state=open_to_read(ctx.config.state.url, root=ctx.root, clock=ctx.clock)
    )
    reader = _reader(reading, step)
    if file is not None:
        _save(reading, reader, file, step, approvers)
        return
    address = Address(listen)
    secret = _secret(ctx, token, address)
    with _stopped_by_ctrl_c(), ExitStack() as stack:
        listener = stack.enter_context(address.listener())
        if measure:
            stack.enter_context(_measuring(ctx, step))
        else:
            ctx.state.let_go()
        sys.stderr.write(f"http://{address.said(listener)}/ shows the cutover; Ctrl-C ends it\n")
        if secret is not None and not address.is_local:
            sys.stderr.write("the token crosses the network in the clear: put TLS before it\n")
        _serve(reader, listener, address.hosts(listener, names), secret, measuring=measure)


def _reader(ctx: Context, step: str | None) -> Reader:
    from migrator.cli.standings import standings_of
    from migrator.runner.overview import Reader
    from phases import p3_drain

    return Reader(
        ctx,
        recall=lambda: p3_drain.recall(ctx, p3_drain.plan(ctx, step=step)),
        standings=lambda: standings_of(ctx),
    )


def _serve(
    reader: Reader,
    listener: socket.socket,
    hosts: frozenset[str],
    secret: str | None,
    *,
    measuring: bool,
) -> None:
    # Only this command needs a web server, and a saved file needs none.
    import asyncio

    from migrator.dashboards.web.app import make_app
    from migrator.dashboards.web.serve import serve

    clock = reader.ctx.clock
    served = serve(
        listener,
        reader.read,
        reader.late,
        lambda board: make_app(board, clock, hosts=hosts, token=secret),
        measuring=measuring,
    )
    asyncio.run(served)


@contextmanager
def _stopped_by_ctrl_c() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")


def _save(
    ctx: Context, reader: Reader, file: Path, step: str | None, approvers: tuple[str, ...]
) -> None:
    from migrator.dashboards.overview import REMOVED
    from migrator.dashboards.page import evidence_hash, report
    from phases import p3_drain

    planned = p3_drain.plan(ctx, step=step)
    over = replace(reader.read(), evidence=p3_drain.evidence(ctx, planned))
    if over.lost:
        raise DependencyError(over.lost, hint="mend that, then save again")
    asked = approvers or tuple(one.name for one in ctx.config.approvers)
    done = over.stage == REMOVED
    html = report(over, None if done else _request(planned.step, asked))
    file.write_text(html, encoding="utf-8")
    click.echo(f"{file}: {over.decision}" + ("" if done else f" before {planned.step}"))
    click.echo(f"evidence {evidence_hash(over)}")
    click.echo(f"file     {sha256(html.encode()).hexdigest()}")


def _request(step: str, approvers: tuple[str, ...]) -> Request:
    from migrator.dashboards.page import Request

    if step == REMOVE:
        return Request(
            "remove the legacy auth tables and columns",
            "migrator remove apply",
            approvers,
            "migrator remove revert; after the purge an equivalent catalog comes back",
        )
    return Request(
        f"move the stage to {step}",
        f"migrator dual-path stage set {step}",
        approvers,
        "migrator dual-path stage rollback: one local command, no gate",
    )


@contextmanager
def _measuring(ctx: Context, step: str | None) -> Iterator[None]:
    """Watch in the background; what fails is tried again at the next look."""
    from phases import p3_drain

    ended = threading.Event()

    def watch(check: Callable[[], None]) -> None:
        while not ended.is_set():
            try:
                check()
                p3_drain.watch(ctx, p3_drain.plan(ctx, step=step))
                deliver_soon(ctx)
            except MigratorError as error:
                sys.stderr.write(f"not measured: {error.message}\n")
            ended.wait(ctx.config.drain.interval.total_seconds())

    with p3_drain.only_watch(ctx) as check:
        watching = threading.Thread(target=watch, args=(check,), daemon=True)
        watching.start()
        try:
            yield
        finally:
            ended.set()
            watching.join(FAREWELL_S)


def _secret(ctx: Context, token: str | None, address: Address) -> str | None:
    if token is None:
        if address.is_local:
            return None
        raise UsageError(
            f"{address.host} can be reached by others: a token is needed",
            hint="migrator dashboard --token env:MIGRATOR_DASHBOARD_TOKEN",
        )
    try:
        secret = SecretRef.parse(token)
    except ValueError as error:
        raise UsageError(f"--token: {error}", hint="--token env:NAME") from error
    return token_of(secret, ctx.root)
