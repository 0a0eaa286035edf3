"""The address of a MariaDB database, as Rails writes it in DATABASE_URL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from migrator.core.errors import UsageError

_PORT = 3306
_HINT = "write it as mysql://user:password@host:port/database"
# What Rails calls it, and PyMySQL.
_OPTIONS = {"socket": "unix_socket", "sslca": "ssl_ca", "sslcert": "ssl_cert", "sslkey": "ssl_key"}
# Options of the application's own connections.
_IGNORED = frozenset({"encoding", "collation", "pool", "reconnect", "prepared_statements"})


@dataclass(frozen=True)
class Address:
    """Where a database is.

    Attributes:
        options: Further arguments of PyMySQL's `connect`.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    options: dict[str, Any]

    @classmethod
    def of(cls, dsn: str) -> Address:
        """Read a DSN.

        Raises:
            UsageError: It cannot be read, names no database, or has an unknown option.
        """
        try:
            parts = urlsplit(dsn)
            port = parts.port or _PORT
            given = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        except ValueError:
            raise UsageError(
                "legacy.dsn cannot be read as a MariaDB address", hint=_HINT
            ) from None
        database = unquote(parts.path.removeprefix("/"))
        if not database:
            raise UsageError("legacy.dsn names no database", hint=_HINT)
        return cls(
            parts.hostname or "localhost",
            port,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            database,
            _options(given),
        )


def _options(given: dict[str, str]) -> dict[str, Any]:
    unknown = sorted(given.keys() - _OPTIONS.keys() - _IGNORED)
    if unknown:
        raise UsageError(
            f"legacy.dsn has the option {unknown[0]}, which is not known",
            hint=f"there are: {', '.join(_OPTIONS)}",
        )
    options: dict[str, Any] = {_OPTIONS[name]: given[name] for name in _OPTIONS if name in given}
    if "ssl_ca" in options:
        options |= {"ssl_verify_cert": True, "ssl_verify_identity": True}
    return options
