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


class Row(NamedTuple):
    """What decides about the client at Auther, or is written there; a secret is only told of."""

    name: str | None
    redirect_ur_ls: str | None
    type: str | None
    disabled: int | None
    metadata: str | None
    updated_at: int | None
    has_secret: int


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
        before: The row as it was read, for the compare-and-swap; None where there is none.
        differences: Empty when nothing is to be done.
    """

    client: Client
    before: Row | None
    differences: tuple[Difference, ...]

    @property
    def exists(self) -> bool:
        """There is a row."""
        return self.before is not None

    def row(self, now_ms: int) -> Row:
        """Give the row as it will be."""
        metadata = self.before.metadata if self.before else None
        redirects = ",".join(self.client.redirects)
        return Row(self.client.name, redirects, PUBLIC, 0, metadata, now_ms, has_secret=0)


def compare(database: Database, wanted: Client) -> Repair:
    """Find out what the client's row lacks; addresses that it has already are kept.

    Raises:
        UsageError: A redirect address cannot stand in a list that commas separate.
        RefusedError: The row belongs to a client with a secret, which shims do not have.
        DependencyError: The database failed.
    """
    if any("," in address for address in wanted.redirects):
        raise UsageError("a redirect address holds a comma", hint="mend [shim] redirect_uri")
    before = _read(database, wanted.client_id)
    if before is None:
        return Repair(wanted, before, tuple(_columns(wanted, {})))
    if before.has_secret:
        raise RefusedError(
            f"{wanted.client_id} is a client with a secret; shims send none",
            hint="choose another [auther] client_id for the application",
        )
    kept = (*_addresses(before.redirect_ur_ls), *wanted.redirects)
    whole = Client(wanted.client_id, before.name or wanted.name, tuple(dict.fromkeys(kept)))
    there = {
        "name": before.name or "",
        "redirect_ur_ls": before.redirect_ur_ls or "",
        "type": before.type or "",
        "disabled": str(before.disabled or 0),
    }
    return Repair(whole, before, tuple(_columns(whole, there)))


def repair(database: Database, needed: Repair, *, now_ms: int) -> None:
    """Write the row, in one transaction, while it is as it was read.

    Raises:
        RefusedError: Somebody changed it meanwhile; nothing was written.
        DependencyError: The database failed; nothing was written.
    """
    client_id, after = needed.client.client_id, needed.row(now_ms)
    step = _update(client_id, needed.before, after) if needed.before else _insert(client_id, after)
    written = database.write([step])[0]
    # A server that was asked twice has done it the first time, as has another run of the same.
    if written != [1] and not _is_same(_read(database, client_id), after):
        raise RefusedError(
            f"somebody else changed the client {client_id} meanwhile; nothing was written",
            hint="migrator auther client ensure",
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


def _read(database: Database, client_id: str) -> Row | None:
    rows = database.ask(Run(_QUERIES["client"], [client_id]))[0]
    return Row(*rows[0]) if rows else None


def _update(client_id: str, before: Row, after: Row) -> Run:
    written = (after.name, after.redirect_ur_ls, after.type, after.disabled, after.updated_at)
    read = before[: Row._fields.index("has_secret")]
    return Run(_QUERIES["update_client"], (*written, client_id, *read))


def _insert(client_id: str, row: Row) -> Run:
    columns = (row.name, client_id, row.redirect_ur_ls, row.type, row.disabled)
    # client_id in the id keeps two runs from making two rows.
    return Run(
        _QUERIES["insert_client"],
        (f"migrator-{client_id}", *columns, row.updated_at, row.updated_at),
    )


def _is_same(there: Row | None, row: Row) -> bool:
    """Compare all but the time, which another run writes in its own way."""
    return there is not None and there._replace(updated_at=row.updated_at) == row


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
