"""The application's OAuth client as a row at Auther, and the consents of its imported users."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from migrator.auther.ways.database import Insert, Run
from migrator.core import ids
from migrator.core.errors import RefusedError, UsageError
from migrator.core.queries import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.auther.interface import Stored
    from migrator.auther.ways.database import Database

_QUERIES = load("migrator.auther.live", "client.sql")
# What the shims ask for; better-auth keeps a consent's scopes as this text.
SCOPES = "openid profile email"
PUBLIC = "public"
_CONSENT = "oauth_consent"
_CONSENT_COLUMNS = (
    *("id", "client_id", "user_id", "scopes"),
    *("created_at", "updated_at", "consent_given"),
)


@dataclass(frozen=True)
class Client:
    """A client of an application with a shim: PKCE, no secret.

    Attributes:
        redirects: Where Auther may send browsers back to, each exactly as the shim says it.
    """

    client_id: str
    name: str
    redirects: tuple[str, ...]


class Difference(NamedTuple):
    """A column that is not as it has to be; `before` is empty where there is no row."""

    column: str
    before: str
    after: str


@dataclass(frozen=True)
class Repair:
    """What has to change at Auther.

    Attributes:
        client: As it will be.
        exists: There is a row.
        redirects_before: The row's text now, for the compare-and-swap.
        differences: Empty when nothing is to be done.
    """

    client: Client
    exists: bool
    redirects_before: str | None
    differences: tuple[Difference, ...]


def compare(database: Database, wanted: Client) -> Repair:
    """Find out what the client's row lacks; addresses that it has already are kept.

    Raises:
        UsageError: A redirect address cannot stand in a list that commas separate.
        RefusedError: The row belongs to a client with a secret, which shims do not have.
        DependencyError: The database failed.
    """
    if any("," in address for address in wanted.redirects):
        raise UsageError("a redirect address holds a comma", hint="mend [shim] redirect_uri")
    rows = database.ask(Run(_QUERIES["client"], [wanted.client_id]))[0]
    if not rows:
        return Repair(
            wanted, exists=False, redirects_before=None, differences=tuple(_columns(wanted, {}))
        )
    name, redirects, kind, disabled, secret = rows[0]
    if secret:
        raise RefusedError(
            f"{wanted.client_id} is a client with a secret; shims send none",
            hint="choose another [auther] client_id for the application",
        )
    there = {"redirect_ur_ls": redirects or "", "type": kind or "", "disabled": str(disabled or 0)}
    kept = (*_addresses(redirects), *wanted.redirects)
    whole = Client(wanted.client_id, name or wanted.name, tuple(dict.fromkeys(kept)))
    differences = tuple(_columns(whole, there | {"name": name or ""}))
    return Repair(whole, exists=True, redirects_before=redirects, differences=differences)


def repair(database: Database, needed: Repair, *, now_ms: int) -> None:
    """Write the row, in one transaction.

    Raises:
        RefusedError: Somebody changed it meanwhile; nothing was written.
        DependencyError: The database failed; nothing was written.
    """
    client, redirects = needed.client, ",".join(needed.client.redirects)
    step = (
        Run(
            _QUERIES["update_client"],
            (client.name, redirects, PUBLIC, now_ms, client.client_id, needed.redirects_before),
        )
        if needed.exists
        else Run(
            _QUERIES["insert_client"],
            (_row_id(client), client.name, client.client_id, redirects, PUBLIC, now_ms, now_ms),
        )
    )
    written = database.write([step])[0]
    # A server that was asked twice has done it the first time.
    if written != [1] and compare(database, client).differences:
        raise RefusedError(
            f"somebody else changed the client {client.client_id} meanwhile",
            hint="migrator auther client ensure --dry-run",
        )


def ours(database: Database, users: Sequence[Stored], *, mark: bytes) -> list[str]:
    """Name those users whom this migration wrote.

    Args:
        database: Where they are.
        users: As read there.
        mark: What `ids.mark_key` gives.
    """
    found = [one.user.id for one in users if _has_mark(one, mark)]
    rest = {f"migrator:user:{one.user.id}": one.user.id for one in users if not one.accounts}
    if rest:
        marked = database.ask(Run(_QUERIES["marked"], [json.dumps(list(rest))]))[0]
        found += [rest[identifier] for (identifier,) in marked]
    return found


def add_consents(
    database: Database, client_id: str, users: Sequence[str], *, mark: bytes, now_ms: int
) -> int:
    """Write a consent for each of these users who has said neither yes nor no yet.

    Returns:
        How many were written.

    Raises:
        DependencyError: The database failed; nothing was written.
    """
    said = database.ask(Run(_QUERIES["consented"], [client_id, json.dumps(list(users))]))[0]
    silent = [user for user in users if (user,) not in set(said)]
    if not silent:
        return 0
    rows = [
        (_consent_id(mark, client_id, user), client_id, user, SCOPES, now_ms, now_ms, 1)
        for user in silent
    ]
    written = database.write([Insert(_CONSENT, _CONSENT_COLUMNS, rows, lenient=True)])[0]
    return sum(written or ())


def remove_consents(
    database: Database, client_id: str, users: Sequence[str], *, mark: bytes
) -> int:
    """Take back what `add_consents` wrote; what people said themselves stays.

    Returns:
        How many were there.
    """
    made = [_consent_id(mark, client_id, user) for user in users]
    return sum(database.write([Run(_QUERIES["remove_consents"], [json.dumps(made)])])[0] or ())


def _row_id(client: Client) -> str:
    return f"migrator-{client.client_id}"


def _consent_id(mark: bytes, client_id: str, user: str) -> str:
    return ids.account_id(mark, owner=user, provider=_CONSENT, subject=client_id)


def _has_mark(stored: Stored, mark: bytes) -> bool:
    return any(
        account.id
        == ids.account_id(
            mark,
            owner=account.user_id,
            provider=account.provider_id,
            subject=account.account_id,
        )
        for account in stored.accounts
    )


def _columns(wanted: Client, there: dict[str, str]) -> list[Difference]:
    columns = {
        "name": wanted.name,
        "redirect_ur_ls": ",".join(wanted.redirects),
        "type": PUBLIC,
        "disabled": "0",
    }
    return [
        Difference(column, there.get(column, ""), after)
        for column, after in columns.items()
        if there.get(column) != after
    ]


def _addresses(text: str | None) -> list[str]:
    """Read the addresses, also from the JSON array that Auther's own page writes and cannot read."""
    if text and text.lstrip().startswith("["):
        try:
            found = json.loads(text)
        except ValueError:
            return []
        return [one for one in found if isinstance(one, str) and one]
    return [one for one in (text or "").split(",") if one]
