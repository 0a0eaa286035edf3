"""Turns a legacy user into rows for Auther, or says why that is not possible. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from migrator.auther.interface import CREDENTIAL, ROLE, AccountRow, Mapped, Note, UserRow
from migrator.auther.mapping.obey import obeying
from migrator.core import ids
from migrator.core.emails import auther_accepts, normalise
from migrator.core.envelope import NO_PEPPER, Envelope
from migrator.core.redact import mask_email
from migrator.core.resolutions import Action
from migrator.core.texts import storable
from migrator.core.times import is_odd
from migrator.core.users import LegacyUser, PinReason, Reject, RejectReason
from migrator.schemes.registry import claimed_by

if TYPE_CHECKING:
    from migrator.auther.mapping.rules import Rules

BANNED_DELETED = "migrator: deleted in the legacy system"
BANNED_DISABLED = "migrator: disabled in the legacy system"
BANNED_LOCKED = "migrator: locked in the legacy system"
_USERNAME = re.compile(r"[a-zA-Z0-9_.]{3,30}")


@dataclass(frozen=True)
class _Ban:
    reason: str
    expires_ms: int | None


def to_rows(user: LegacyUser, rules: Rules) -> Mapped | Reject:
    """Map one user.

    Returns:
        The rows, or the first reason that stands in the way.
    """
    if user.pk in rules.resolutions:
        resolution = rules.resolutions[user.pk]
        if Action.LINK in resolution.actions:
            return Reject(user.pk, RejectReason.LINKED, resolution.auther_id)
        user, rules = obeying(user, rules, resolution)
    email = normalise(user.email or "")
    refusal = _refusal(user, email, rules)
    if refusal is not None:
        return refusal
    pinned = _pin(user, email)
    envelope = None if pinned else _envelope(user, rules)
    if (
        pinned is None
        and user.password
        and envelope is None
        and rules.unsupported_hash == "reject"
    ):
        shape = f"{len(user.password)} characters that no scheme claims"
        return Reject(user.pk, RejectReason.UNSUPPORTED_HASH, shape)
    row = _user_row(user, email, rules)
    return Mapped(
        user.pk,
        row,
        _accounts(user, row, envelope, rules) if pinned is not PinReason.SECOND_FACTOR else (),
        pinned,
        sha256(user.password.encode()).hexdigest() if user.password else None,
        tuple(_notes(user, row, pinned, envelope, rules)),
        rules.grants.tuples(user.roles, user_id=row.id, at_ms=rules.now_ms) if user.roles else (),
    )


def _refusal(user: LegacyUser, email: str, rules: Rules) -> Reject | None:
    if not email:
        return Reject(user.pk, RejectReason.EMAIL_MISSING)
    if not _all_storable(user):
        return Reject(user.pk, RejectReason.TEXT_NOT_STORABLE)
    if user.deleted_ms is not None and rules.soft_deleted == "reject":
        return Reject(user.pk, RejectReason.SOFT_DELETED)
    odd = _odd_time(user, rules)
    if odd:
        return Reject(user.pk, RejectReason.TIMESTAMP_OUT_OF_RANGE, odd)
    if rules.email_loses(user.pk, user.email or "", email):
        return Reject(user.pk, RejectReason.EMAIL_COLLISION, mask_email(email))
    taken = _taken_identity(user, rules) if user.identities else None
    return None if taken is None else Reject(user.pk, RejectReason.IDENTITY_TAKEN, taken)


def _all_storable(user: LegacyUser) -> bool:
    for text in (user.email, user.name, user.password, user.username):
        if text is not None and not storable(text):
            return False
    if not all(map(storable, user.roles)):
        return False
    return all(storable(link.provider) and storable(link.uid) for link in user.identities)


def _odd_time(user: LegacyUser, rules: Rules) -> str:
    lock_ends = None if user.locked_ms is None else user.locked_ms + (rules.unlock_in_ms or 0)
    for name, at in (
        ("created_at", user.created_ms),
        ("confirmed_at", user.confirmed_ms),
        ("deleted_at", user.deleted_ms),
        ("locked_at", user.locked_ms),
        ("locked_at + unlock_in", lock_ends),
        *(("identities.created_at", link.created_ms) for link in user.identities),
    ):
        if is_odd(at):
            return name
    return ""


def _taken_identity(user: LegacyUser, rules: Rules) -> str | None:
    for link in user.identities:
        if rules.providers.get(link.provider, link.provider) == CREDENTIAL:
            return f"a provider cannot be named {CREDENTIAL}: that is how Auther marks passwords"
        if (link.provider, link.uid) in rules.contested_identities:
            return f"another user has the same identity at {link.provider}"
    return None


def _pin(user: LegacyUser, email: str) -> PinReason | None:
    if user.second_factor:
        return PinReason.SECOND_FACTOR
    return None if auther_accepts(email) else PinReason.EMAIL_UNREACHABLE


def _envelope(user: LegacyUser, rules: Rules) -> str | None:
    if not user.password:
        return None
    claim = claimed_by(user.password, user.salt, rules.declared)
    if claim is None:
        return None
    peppers = rules.peppers if claim.peppered else (NO_PEPPER,)
    return Envelope(claim.scheme.name, user.password, peppers, claim.params).encode()


def _user_row(user: LegacyUser, email: str, rules: Rules) -> UserRow:
    # An odd time of the last change says as little as none, and keeps nobody out.
    updated = None if is_odd(user.updated_ms) else user.updated_ms
    created = user.created_ms
    if created is None:
        created = rules.now_ms if updated is None else updated
    username = _username(user, rules)
    ban = _ban(user, rules)
    return UserRow(
        id=_user_id(user, rules),
        name=user.name or "",
        email=email,
        email_verified=int(_is_verified(user, rules)),
        image=None,
        created_at=created,
        updated_at=created if updated is None else updated,
        role=ROLE,
        banned=int(ban is not None),
        ban_reason=ban.reason if ban else None,
        ban_expires=ban.expires_ms if ban else None,
        username=username,
        display_username=user.username if username else None,
    )


def _user_id(user: LegacyUser, rules: Rules) -> str:
    if not rules.derived_ids:
        return user.pk
    return ids.user_id(rules.key, namespace=rules.namespace, source=rules.source, pk=int(user.pk))


def _is_verified(user: LegacyUser, rules: Rules) -> bool:
    if rules.verified_when == "confirmed":
        return user.confirmed_ms is not None
    return rules.verified_when == "always"


def _ban(user: LegacyUser, rules: Rules) -> _Ban | None:
    if user.deleted_ms is not None:
        return _Ban(BANNED_DELETED, None)
    if user.disabled:
        return _Ban(BANNED_DISABLED, None)
    if user.locked_ms is None:
        return None
    if rules.unlock_in_ms is None:
        return _Ban(BANNED_LOCKED, None)
    expires_ms = user.locked_ms + rules.unlock_in_ms
    return _Ban(BANNED_LOCKED, expires_ms) if expires_ms > rules.now_ms else None


def _username(user: LegacyUser, rules: Rules) -> str | None:
    if user.username is None or not _USERNAME.fullmatch(user.username):
        return None
    lower = user.username.lower()
    return None if lower in rules.contested_usernames else lower


def _accounts(
    user: LegacyUser, row: UserRow, envelope: str | None, rules: Rules
) -> tuple[AccountRow, ...]:
    accounts = [_account(row, CREDENTIAL, row.id, rules, password=envelope)] if envelope else []
    # The same identity twice at one user is one account.
    for link in {(link.provider, link.uid): link for link in user.identities}.values():
        at_ms = row.created_at if link.created_ms is None else link.created_ms
        provider = rules.providers.get(link.provider, link.provider)
        accounts.append(_account(row, provider, link.uid, rules, created_ms=at_ms))
    return tuple(accounts)


def _account(
    row: UserRow,
    provider: str,
    subject: str,
    rules: Rules,
    *,
    password: str | None = None,
    created_ms: int | None = None,
) -> AccountRow:
    # Nothing says when a password was last set; the user's row is written anew at each sign-in.
    at_ms = row.created_at if created_ms is None else created_ms
    return AccountRow(
        ids.account_id(rules.mark, owner=row.id, provider=provider, subject=subject),
        subject,
        provider,
        row.id,
        password,
        at_ms,
        at_ms,
    )


def _notes(
    user: LegacyUser, row: UserRow, pinned: PinReason | None, envelope: str | None, rules: Rules
) -> list[Note]:
    notes = []
    if not user.password:
        notes.append(Note.NO_PASSWORD)
    elif envelope is None:
        notes.append(Note.HASH_LEFT_BEHIND)
    if user.username and row.username is None:
        notes.append(Note.USERNAME_DROPPED)
    if pinned is PinReason.SECOND_FACTOR and user.identities:
        notes.append(Note.IDENTITIES_WITHHELD)
    if is_odd(user.updated_ms):
        notes.append(Note.TIME_REPLACED)
    if not row.email.isascii() and rules.email_resembles(row.email):
        notes.append(Note.EMAIL_RESEMBLES)
    return notes
