"""`migrator gate serve`: an address that deployment tools ask before they go on."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import click

from migrator.cli.secret import SECRET
from migrator.core.errors import DependencyError, UsageError
from phases import p3_drain

if TYPE_CHECKING:
    from migrator.cli.common import Invocation
    from migrator.config.secrets import SecretRef
    from migrator.dashboards.step_answer import StepAnswer

_BACKLOG = 64


@click.command()
@click.option("--listen", default="127.0.0.1:8600", show_default=True, metavar="HOST:PORT")
@click.option(
    "--token",
    type=SECRET,
    help="A bearer token that each request must bring; needed beyond this machine.",
)
@click.pass_obj
def serve(invocation: Invocation, listen: str, token: SecretRef | None) -> None:
    """Answer GET and POST /gates/STEP and /gates/STEP/NAME: 200 when the step may begin, else 403.

    The ledger answers, as it is at each request, with the configuration as it is then; nothing is
    measured. Keep `drain watch` or `gate watch` running beside it.
    """
    host, port = _address(listen)
    if token is None and not _is_loopback(host):
        raise UsageError(
            f"{host} can be reached from elsewhere: that needs a token",
            hint="--token env:NAME, or --listen 127.0.0.1:8600",
        )
    secret = None if token is None else token.reveal(invocation.root)
    # A web server takes longer to import than most commands take to run.
    import uvicorn  # noqa: PLC0415

    from migrator.dashboards.gate_endpoint import make_app  # noqa: PLC0415

    app = make_app(lambda step, name: _answer(invocation, step, name), token=secret)
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    # Ctrl-C is how it ends.
    with closing(_bound(host, port)) as bound, suppress(KeyboardInterrupt):
        click.echo(f"listening on http://{host}:{bound.getsockname()[1]}/gates/STEP")
        uvicorn.Server(config).run(sockets=[bound])


def _answer(invocation: Invocation, step: str, name: str | None) -> StepAnswer:
    ctx = invocation.context()
    try:
        return p3_drain.answer(ctx, step, name)
    finally:
        ctx.state.engine.dispose()


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal():
        raise UsageError(f"--listen {listen}: write HOST:PORT", hint="--listen 127.0.0.1:8600")
    return host.strip("[]"), int(port)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bound(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise DependencyError(
            f"nothing can listen on {host}:{port}: {error.strerror}",
            hint="choose another --listen",
        ) from error
