"""Links users to people whom Auther has already, where a person has said that they are the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.core.users import Reject, RejectReason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrator.auther.interface import Target
    from migrator.legacy.identity import IdentityTable


@dataclass
class Linked:
    """What became of users whom the resolution file links.

    Attributes:
        new: Auther id by legacy key, to be written down.
        there: Users who are linked already.
        rejects: Those who cannot be linked.
    """

    new: dict[str, str] = field(default_factory=dict)
    there: int = 0
    rejects: list[Reject] = field(default_factory=list)


def split(rejects: Iterable[Reject]) -> tuple[dict[str, str], list[Reject]]:
    """Part those to be linked (Auther id by legacy key) from real rejects."""
    wanted: dict[str, str] = {}
    others = []
    for reject in rejects:
        if reject.reason is RejectReason.LINKED:
            wanted[reject.pk] = reject.detail
        else:
            others.append(reject)
    return wanted, others


def sort_out(
    wanted: dict[str, str], target: Target | None, identities: IdentityTable | None
) -> Linked:
    """Say who can be linked; nothing is written, and nothing at Auther ever changes for them.

    Args:
        wanted: Auther id by legacy key.
        target: None while there is no Auther.
        identities: None while the table does not exist.
    """
    done = Linked()
    pks, ids = list(wanted), list(wanted.values())
    known = identities.known(pks, ids) if identities else None
    there = target.read(ids) if target else {}
    for pk, auther_id in wanted.items():
        if known is not None and pk in known.links:
            done.there += 1
            continue
        owner = known.owners.get(auther_id) if known is not None else None
        if auther_id not in there:
            done.rejects.append(_impossible(pk, "Auther has no user with the id to link to"))
        elif owner is not None:
            said = f"Auther's user is {owner[0]} {owner[1]} already"
            done.rejects.append(_impossible(pk, said))
        else:
            done.new[pk] = auther_id
    return done


def _impossible(pk: str, detail: str) -> Reject:
    return Reject(pk, RejectReason.RESOLUTION_IMPOSSIBLE, detail)
