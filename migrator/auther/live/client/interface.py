"""The application's OAuth client as a row at Auther, and where such rows are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


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


class ClientRows(Protocol):
    """The row of one client, and the consents of this migration's users for it."""

    client_id: str

    def read(self) -> Row | None:
        """Give the row; None where there is none.

        Raises:
            RefusedError: This way reaches no clients, or not this one.
            DependencyError: Auther or its database does not answer.
        """
        ...

    def write(self, before: Row | None, after: Row) -> bool:
        """Make the row, or change it while it is as it was read; tell whether that happened.

        Raises:
            RefusedError: As for `read`.
            DependencyError: As for `read`; nothing was written, or the answer was lost.
        """
        ...

    def add_consents(self, users: Sequence[str], *, now_ms: int) -> int:
        """Write a consent for each of these users who has said neither yes nor no yet.

        Only for users of this migration without another role.

        Returns:
            How many were written.

        Raises:
            DependencyError: It failed; nothing was written, or the answer was lost.
        """
        ...

    def remove_consents(self, users: Sequence[str]) -> int:
        """Take back what `add_consents` wrote; what people said themselves stays.

        Returns:
            How many were there.
        """
        ...
