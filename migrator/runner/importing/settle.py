"""Decides what becomes of a page of users, given what is there already. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.auther.interface import CREDENTIAL, Found, Mapped, Note
from migrator.core.redact import mask_email
from migrator.core.users import Reject, RejectReason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrator.legacy.identity import Known, Link


@dataclass
class Settled:
    """Every user of a page with one outcome.

    Attributes:
        new: To be claimed and written.
        renewed: Claimed by a run that was interrupted, to be written.
        there: Written by an earlier run, or linked at a login.
        stale_ids: Claimed by a run that was interrupted, but not to be written: the claim goes.
        kept: Users of an earlier run who would be rejected now; they stay as they are.
        linked: Users whom a person linked to somebody whom Auther has.
    """

    new: list[Mapped] = field(default_factory=list)
    renewed: list[Mapped] = field(default_factory=list)
    there: list[Mapped] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    stale_ids: list[str] = field(default_factory=list)
    kept: int = 0
    linked: int = 0

    @property
    def to_write(self) -> list[Mapped]:
        """Give the users that are not at Auther yet, in key order within each kind."""
        return self.new + self.renewed


def settle(rows: Iterable[Mapped], found: Found, known: Known, *, source: str) -> Settled:
    """Give every user one outcome.

    Args:
        rows: A page, mapped.
        found: What Auther holds of it.
        known: What `migrator_identity` holds of it.
        source: The legacy model.
    """
    settled, emails, usernames = Settled(), dict(found.emails), dict(found.usernames)
    for row in rows:
        link = known.links.get(row.pk)
        if _is_settled(row, link, found):
            settled.there.append(row)
            continue
        reject = _in_the_way(row, link, found, known, source, emails)
        if reject is not None:
            settled.rejects.append(reject)
            if link is not None:
                settled.stale_ids.append(link.auther_id)
            continue
        kept = _without_taken_username(row, usernames)
        # What this page writes is taken for the rest of the page.
        emails[kept.user.email] = kept.user.id
        if kept.user.username is not None:
            usernames[kept.user.username] = kept.user.id
        (settled.new if link is None else settled.renewed).append(kept)
    return settled


def _is_settled(row: Mapped, link: Link | None, found: Found) -> bool:
    """Tell that an earlier run wrote this user, a login linked it, or Auther decides about it.

    A user who moved to Auther and was deleted there is never brought back.
    """
    if link is None:
        return False
    linked_elsewhere = link.origin != "import" or link.auther_id != row.user.id
    return linked_elsewhere or link.home == "auther" or row.user.id in found.ids


def _in_the_way(
    row: Mapped,
    link: Link | None,
    found: Found,
    known: Known,
    source: str,
    emails: dict[str, str],
) -> Reject | None:
    owner = known.owners.get(row.user.id, (source, row.pk))
    if owner != (source, row.pk):
        return _taken(row, f"{owner[0]} {owner[1]} has the same id at Auther")
    if link is None and row.user.id in found.ids:
        return _taken(row, "Auther has another user with this id")
    if emails.get(row.user.email, row.user.id) != row.user.id:
        return _taken(row, f"Auther has {mask_email(row.user.email)} under another id")
    for account in row.accounts:
        place = (account.provider_id, account.account_id)
        if (
            account.provider_id != CREDENTIAL
            and found.subjects.get(place, row.user.id) != row.user.id
        ):
            detail = f"Auther has this identity at {account.provider_id} under another id"
            return Reject(row.pk, RejectReason.IDENTITY_TAKEN, detail)
    return None


def _taken(row: Mapped, detail: str) -> Reject:
    return Reject(row.pk, RejectReason.TARGET_TAKEN, detail)


def _without_taken_username(row: Mapped, usernames: dict[str, str]) -> Mapped:
    name = row.user.username
    if name is None or usernames.get(name, row.user.id) == row.user.id:
        return row
    user = row.user._replace(username=None, display_username=None)
    return row._replace(user=user, notes=(*row.notes, Note.USERNAME_DROPPED))
