"""The client's row and the consents for it, through the plugin of an Auther that runs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from migrator.auther.live.client.interface import Row
from migrator.auther.ways.calling import Patience
from migrator.auther.ways.door import PLUGIN, body_of, open_door, refusals, refuse_clear_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrator.auther.ways.door import Door

_PURPOSE = "clients"
_REFUSALS = {
    **refusals("CLIENT", _PURPOSE),
    403: (
        "lets us touch another client only",
        f"compare MIGRATOR_CLIENT_ID with [auther] client_id: {PLUGIN}",
    ),
    501: (
        "writes no clients",
        "give the plugin its option `database`, and Auther better-auth's oidcProvider",
    ),
}


class EndpointRows:
    """Rows that the plugin reads and writes; times are Auther's."""

    def __init__(self, door: Door, client_id: str) -> None:
        self.client_id = client_id
        self._door = door

    def read(self) -> Row | None:  # noqa: D102
        return self._door.post("read", self._body(), _row)

    def write(self, before: Row | None, after: Row) -> bool:  # noqa: D102
        body = self._body(
            before=before and before._asdict(),
            name=after.name,
            redirect_ur_ls=after.redirect_ur_ls,
        )
        return self._door.post("write", body, lambda answer: bool(answer["written"]))

    def add_consents(self, users: Sequence[str], *, now_ms: int) -> int:  # noqa: ARG002, D102
        return self._door.post("consents/add", self._body(users=users), _count)

    def remove_consents(self, users: Sequence[str]) -> int:  # noqa: D102
        return self._door.post("consents/remove", self._body(users=users), _count)

    def _body(self, **sent: Any) -> bytes:
        return body_of({"client_id": self.client_id, **sent})


@contextmanager
def open_client(
    api: str, client_id: str, *, secret: str, patience: Patience | None = None
) -> Iterator[EndpointRows]:
    """Reach a client's row through the plugin; asks nothing yet.

    Args:
        api: The base of better-auth's HTTP API.
        client_id: Whose row.
        secret: The one for clients.
        patience: How long an Auther that is away is waited for.

    Raises:
        UsageError: The secret would travel unencrypted.
    """
    refuse_clear_text(api, _PURPOSE)
    with open_door(
        f"{api}/migrator/client/",
        secret=secret,
        refusals=_REFUSALS,
        patience=patience or Patience(),
    ) as door:
        yield EndpointRows(door, client_id)


def _row(answer: Any) -> Row | None:
    return Row(**answer["client"]) if answer["client"] else None


def _count(answer: Any) -> int:
    return int(answer["rows"])
