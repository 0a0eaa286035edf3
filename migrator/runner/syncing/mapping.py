"""Maps a user who is at Auther already; what cannot be followed is listed, and the rest goes on without it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from migrator.auther.interface import Found, Mapped, Stored
from migrator.auther.mapping.map import to_rows
from migrator.core.redact import mask_email
from migrator.core.users import LegacyUser, Reject, RejectReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.auther.interface import AccountRow
    from migrator.auther.mapping.rules import Rules

PRIVILEGED = "privileged_at_auther"
CHANGED_MEANWHILE = "changed_at_auther_meanwhile"


class Obstacle(NamedTuple):
    """Why a user cannot be followed, or not in everything.

    Attributes:
        reason: A `RejectReason`, `PRIVILEGED` or `CHANGED_MEANWHILE`.
        detail: Without personal data; an address is masked.
    """

    pk: str
    reason: str
    detail: str = ""


def _with_old_address(user: LegacyUser, stored: Stored, rules: Rules) -> tuple[LegacyUser, Rules]:
    return replace(user, email=stored.user.email), rules


def _without_password(user: LegacyUser, _stored: Stored, rules: Rules) -> tuple[LegacyUser, Rules]:
    # Nobody may go on signing in at Auther with a password that the application has replaced.
    return user, replace(rules, unsupported_hash="without_credential")


def _with_ban(user: LegacyUser, _stored: Stored, rules: Rules) -> tuple[LegacyUser, Rules]:
    return user, replace(rules, soft_deleted="ban")


_REMEDIES: dict[RejectReason, Callable[[LegacyUser, Stored, Rules], tuple[LegacyUser, Rules]]] = {
    RejectReason.EMAIL_MISSING: _with_old_address,
    RejectReason.EMAIL_COLLISION: _with_old_address,
    RejectReason.UNSUPPORTED_HASH: _without_password,
    RejectReason.SOFT_DELETED: _with_ban,
}


def map_known(
    user: LegacyUser, stored: Stored, rules: Rules
) -> tuple[Mapped | Reject, list[Obstacle]]:
    """Map a user.

    Returns:
        The rows, or why there are none; and everything that was left out of them.
    """
    obstacles: list[Obstacle] = []
    made = to_rows(user, rules)
    for _ in _REMEDIES:
        if isinstance(made, Mapped) or made.reason not in _REMEDIES:
            break
        if made.reason is not RejectReason.SOFT_DELETED:
            obstacles.append(Obstacle(made.pk, str(made.reason), made.detail))
        user, rules = _REMEDIES[made.reason](user, stored, rules)
        made = to_rows(user, rules)
    return made, obstacles


def fit(
    row: Mapped, taken: Found, user: LegacyUser, stored: Stored, rules: Rules
) -> tuple[Mapped | Reject, list[Obstacle]]:
    """Leave out what somebody else has at Auther: address, user name, identities.

    Args:
        row: The user, mapped.
        taken: Who has what at Auther.
        user: As the application has it.
        stored: As Auther has it.
        rules: How it was mapped.
    """
    made, obstacles = _fit_address(row, taken, user, stored, rules)
    if isinstance(made, Reject):
        return made, obstacles
    own, name = made.user.id, made.user.username
    if name is not None and taken.usernames.get(name, own) != own:
        made = made._replace(user=made.user._replace(username=None, display_username=None))
    lost = {a.id: a for a in made.accounts if taken.subjects.get(_place(a), own) != own}
    obstacles += [
        Obstacle(
            row.pk,
            str(RejectReason.IDENTITY_TAKEN),
            f"Auther has this identity at {account.provider_id} under another id",
        )
        for account in lost.values()
    ]
    return made._replace(accounts=tuple(a for a in made.accounts if a.id not in lost)), obstacles


def _fit_address(
    row: Mapped, taken: Found, user: LegacyUser, stored: Stored, rules: Rules
) -> tuple[Mapped | Reject, list[Obstacle]]:
    own, before = row.user.id, stored.user
    if taken.emails.get(row.user.email, own) == own:
        return row, []
    detail = f"Auther has {mask_email(row.user.email)} under another id"
    obstacle = Obstacle(row.pk, str(RejectReason.TARGET_TAKEN), detail)
    made, others = map_known(replace(user, email=before.email), stored, rules)
    if isinstance(made, Mapped):
        # That the new address was proven says nothing of the old one.
        made = made._replace(user=made.user._replace(email_verified=before.email_verified))
    return made, [obstacle, *others]


def _place(account: AccountRow) -> tuple[str, str]:
    return account.provider_id, account.account_id
