"""`migrator gate serve`: an address that deployment tools ask before they go on."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING

import click

from migrator.cli.address import Address
from migrator.cli.common import listen_option
from migrator.cli.secret import SECRET, token_of
from migrator.cli.web_server import web_server
from migrator.core.errors import UsageError

if TYPE_CHECKING:
    from migrator.cli.common import Invocation
    from migrator.config.secrets import SecretRef
    from migrator.dashboards.step_answer import StepAnswer

DEFAULT_ADDRESS = "127.0.0.1:8600"


@click.command()
@listen_option(DEFAULT_ADDRESS)
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
    address = Address(listen)
    if token is None and not address.is_local:
        raise UsageError(
            f"{address.host} can be reached from elsewhere: that needs a token",
            hint=f"--token env:NAME, or --listen {DEFAULT_ADDRESS}",
        )
    secret = None if token is None else token_of(token, invocation.root)
    # Before it listens: who asks first would wait for what is imported then.
    from migrator.dashboards.gate_endpoint import make_app
    from phases import p3_drain

    def answer(step: str, name: str | None) -> StepAnswer:
        ctx = invocation.context()
        try:
            return p3_drain.answer(ctx, step, name)
        finally:
            ctx.state.engine.dispose()

    # Ctrl-C is how it ends.
    with closing(address.listener()) as bound, suppress(KeyboardInterrupt):
        # Whoever knows the token may come by any name; without one a page on the web must not.
        hosts = address.hosts(bound, ()) if secret is None else None
        app = make_app(answer, token=secret, hosts=hosts)
        click.echo(f"listening on http://{address.said(bound)}/gates/STEP")
        web_server(app).run(sockets=[bound])
