"""What the client's row at Auther lacks, and the repair of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from migrator.auther.live.client.interface import Client, Row
from migrator.core.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from migrator.auther.live.client.interface import ClientRows

PUBLIC = "public"


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


def compare(rows: ClientRows, wanted: Client) -> Repair:
    """Find out what the client's row lacks; addresses that it has already are kept.

    Raises:
        UsageError: A redirect address cannot stand in a list that commas separate.
        RefusedError: The row belongs to a client with a secret, which shims do not have; or it is
            out of reach.
        DependencyError: Auther or its database failed.
    """
    if any("," in address for address in wanted.redirects):
        raise UsageError("a redirect address holds a comma", hint="mend [shim] redirect_uri")
    before = rows.read()
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


def repair(rows: ClientRows, needed: Repair, *, now_ms: int) -> None:
    """Write the row, in one transaction, while it is as it was read.

    Raises:
        RefusedError: Somebody changed it meanwhile; nothing was written.
        DependencyError: It failed; nothing was written, or the answer was lost.
    """
    after = needed.row(now_ms)
    # A server that was asked twice has done it the first time, as has another run of the same.
    if not rows.write(needed.before, after) and not _is_same(rows.read(), after):
        raise RefusedError(
            f"somebody else changed the client {rows.client_id} meanwhile; nothing was written",
            hint="migrator auther client ensure",
        )


def _is_same(there: Row | None, row: Row) -> bool:
    """Compare all but the time, which another run writes in its own way."""
    return there is not None and there._replace(updated_at=row.updated_at) == row


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
