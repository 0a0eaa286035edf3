"""What a person decided about a user whom the import cannot take over as it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from migrator.core.users import RejectReason

if TYPE_CHECKING:
    from collections.abc import Mapping


class Action(StrEnum):
    """What shall become of a rejected user; the words of the resolution file."""

    SKIP = "skip"
    EMAIL = "email"
    WINS = "wins"
    LINK = "link"
    WITHOUT_PASSWORD = "without_password"  # noqa: S105
    WITHOUT_IDENTITIES = "without_identities"
    TIMES = "times"


# These say all that there is to say about a user; the others can stand together.
ALONE = frozenset({Action.SKIP, Action.LINK})

# What can be done about each reason, the likeliest first.
REMEDIES: Mapping[RejectReason, tuple[Action, ...]] = {
    RejectReason.EMAIL_MISSING: (Action.EMAIL, Action.SKIP),
    RejectReason.EMAIL_COLLISION: (Action.EMAIL, Action.WINS, Action.LINK, Action.SKIP),
    RejectReason.TARGET_TAKEN: (Action.LINK, Action.EMAIL, Action.SKIP),
    RejectReason.UNSUPPORTED_HASH: (Action.WITHOUT_PASSWORD, Action.SKIP),
    RejectReason.TIMESTAMP_OUT_OF_RANGE: (Action.TIMES, Action.SKIP),
    RejectReason.IDENTITY_TAKEN: (Action.WITHOUT_IDENTITIES, Action.SKIP),
    RejectReason.TEXT_NOT_STORABLE: (Action.SKIP,),
    RejectReason.SOFT_DELETED: (Action.SKIP,),
    RejectReason.RESOLUTION_IMPOSSIBLE: (Action.SKIP,),
}


@dataclass(frozen=True)
class Resolution:
    """One entry of the resolution file.

    Attributes:
        pk: The legacy primary key.
        actions: What to do, at least one.
        reason: The reject that it answers; `skip` holds for no other.
        email: The address to import under, with `email`; normalised.
        auther_id: The user at Auther, with `link`.
        line: Where the entry begins in the file, from 1.
    """

    pk: str
    actions: frozenset[Action]
    reason: RejectReason
    email: str = ""
    auther_id: str = ""
    line: int = 0

    @property
    def shapes_rows(self) -> bool:
        """Tell that rows at either side depend on it; `skip` only acknowledges."""
        return Action.SKIP not in self.actions

    def content(self) -> list[str]:
        """Give what must not change once the user was imported."""
        return [*sorted(self.actions), self.email, self.auther_id]
