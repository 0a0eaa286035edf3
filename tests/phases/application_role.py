"""The role of an application that runs while its legacy tables go, and a removal that hears what is refused to it."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from migrator.core.sql import ident
from tests.parts.stage_file import create_side_tables
from tests.phases.removal import make_site
from tests.phases.stalls import patient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

    from tests.parts.postgres import PostgresServer
    from tests.phases.removal import Site

PERSON = "auther-user-1"


@dataclass(frozen=True)
class ApplicationRole:
    """A role that may use every table and owns none.

    Attributes:
        dsn: Of the application's database, signed in as that role.
    """

    name: str
    dsn: str


@contextmanager
def application_role(postgres: PostgresServer, dsn: str) -> Iterator[ApplicationRole]:
    """Make the side tables, with user 1 as `PERSON` at Auther, and a role that ends with the context."""
    create_side_tables(dsn)
    name, password = f"club_{secrets.token_hex(4)}", secrets.token_hex(8)
    role = ident(name)
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in (
            f"CREATE ROLE {role} LOGIN PASSWORD '{password}'",
            f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}",
            f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}",
            f"INSERT INTO migrator_identity (source, user_pk, auther_id) VALUES ('User', '1', '{PERSON}')",
        ):
            connection.execute(statement.encode())
    own = dsn.replace(f"postgres:{postgres.password}@", f"{name}:{password}@")
    yield ApplicationRole(name, own)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}".encode())


def listening_site(
    folder: Path,
    dsn: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    role: str,
    postgres: PostgresServer,
    budget_s: float,
) -> Site:
    """A migration whose scream window hears the role and is over at once."""
    rules = f"""
application_roles = ['{role}']
server_log = '{postgres.directory / "log"}'
scream_window = "0s"
"""
    found = make_site(
        folder,
        dsn,
        monkeypatch,
        rules=rules,
        # A build without the legacy side need not report itself.
        acknowledged=("lockout", "second_factors", "code_first"),
    )
    return patient(found, budget_s=budget_s)
