"""How sources ask over HTTP."""

from __future__ import annotations

import ssl
from functools import cache
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from datetime import timedelta

USER_AGENT = "migrator drain"


def client_for(timeout: timedelta) -> httpx.Client:
    """Open a client that follows no redirect, knows no proxy, and says who asks.

    Args:
        timeout: For each step of a request.
    """
    return httpx.Client(
        timeout=timeout.total_seconds(),
        trust_env=False,
        verify=_tls(),
        headers={"User-Agent": USER_AGENT},
    )


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates takes longer than a look at a shim.
    return ssl.create_default_context()
