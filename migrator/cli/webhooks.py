"""Takes deliveries of Auther's webhook while a command goes on."""

from __future__ import annotations

import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from migrator.cli.address import Address
from migrator.cli.web_server import web_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.auther.webhook.receiver import Receiver
    from migrator.runner.context import Context

_STOP_WITHIN_S = 5


@contextmanager
def listening(ctx: Context) -> Iterator[Receiver | None]:
    """Listen in a thread where [webhook] says so; else None.

    Raises:
        UsageError: No secret, or no address.
        DependencyError: The port is taken.
    """
    from migrator.runner.writing_back.ringing import make_receiver

    if not ctx.config.webhook.listen:
        yield None
        return
    address = Address(ctx.config.webhook.listen, key="[webhook] listen")
    receiver = make_receiver(ctx)
    # Starlette takes longer to import than most commands take to run.
    from migrator.auther.webhook.endpoint import PATH, make_app

    with closing(address.listener()) as bound:
        server = web_server(make_app(receiver))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        ctx.progress.say(f"deliveries: http://{address.said(bound)}{PATH}")
        try:
            yield receiver
        finally:
            server.should_exit = True
            thread.join(_STOP_WITHIN_S)
