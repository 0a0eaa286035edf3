"""Who issues the tokens: the real better-auth where Node is there, else a small local issuer."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Protocol

from migrator.conformance.issuer import Issuer
from migrator.core.envelope import decode
from migrator.schemes.registry import SCHEMES
from tests.parts.availability import missing
from tests.parts.better_auth import Client, LoginRefusedError, login_through_authorize, start

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CLIENT_ID = "shop"


class Auther(Protocol):
    """What the demo needs of it."""

    name: str
    is_real: bool

    def log_in(self, email: str, password: str) -> str | None:
        """Log in as a browser does; give the id_token, None when refused."""
        ...

    def stop(self) -> None:
        """End it."""
        ...


class RealAuther:
    """better-auth 1.3.32 with the generated plugin, on the database file that the import wrote."""

    name = "better-auth 1.3.32 with the plugin"
    is_real = True

    def __init__(
        self,
        database: Path,
        *,
        port: int,
        redirect_uri: str,
        environment: Mapping[str, str],
        peppers: Mapping[str, str],  # noqa: ARG002 (they are in the environment)
    ) -> None:
        self._client = Client(CLIENT_ID, (redirect_uri,), row=False)
        self._server = start(database, env=environment, clients=[self._client], port=port)

    def log_in(self, email: str, password: str) -> str | None:
        try:
            return login_through_authorize(self._server, self._client, email, password)
        except LoginRefusedError:
            return None

    def stop(self) -> None:
        self._server.stop()


class LocalAuther:
    """A local issuer that checks passwords against the database file that the import wrote."""

    name = "a small local issuer (there is no Node here): no plugin, no rehash"
    is_real = False

    def __init__(
        self,
        database: Path,
        *,
        port: int,
        redirect_uri: str,
        environment: Mapping[str, str],  # noqa: ARG002 (it has no plugin)
        peppers: Mapping[str, str],
    ) -> None:
        self._database, self._peppers = database, peppers
        self._issuer = Issuer(client_id=CLIENT_ID, redirect_uris=[redirect_uri], port=port).start()

    def log_in(self, email: str, password: str) -> str | None:
        query = """SELECT user.id, account.password FROM user JOIN account ON user_id = user.id
                   WHERE email = ? AND provider_id = 'credential' AND email_verified
                   AND NOT coalesce(banned, 0)"""
        with closing(sqlite3.connect(self._database)) as connection:
            row = connection.execute(query, (email,)).fetchone()
        if row is None:
            return None
        envelope = decode(row[1])
        scheme = SCHEMES[envelope.scheme]
        peppers = [self._peppers.get(name, "").encode() for name in envelope.peppers]
        if not any(scheme.verify(envelope.value, password.encode(), pepper=p) for p in peppers):
            return None
        return self._issuer.make_token(row[0], nonce=hashlib.sha256(email.encode()).hexdigest())

    def stop(self) -> None:
        self._issuer.stop()


def start_auther(
    database: Path,
    *,
    port: int,
    redirect_uri: str,
    environment: Path,
    peppers: Mapping[str, str],
) -> Auther:
    """Start the best one that this machine can run.

    Args:
        database: What the import wrote.
        port: Where it listens.
        redirect_uri: The application's.
        environment: The file that `migrator import plugin --env-file` wrote.
        peppers: By id.
    """
    kind = LocalAuther if missing("node") else RealAuther
    lines = environment.read_text(encoding="utf-8").splitlines()
    variables = dict(line.split("=", 1) for line in lines if "=" in line)
    return kind(
        database, port=port, redirect_uri=redirect_uri, environment=variables, peppers=peppers
    )
