"""Gathers what both sides know of whoever has an address."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from migrator.auther.interface import CREDENTIAL, WITHHELD
from migrator.auther.mapping.map import to_rows
from migrator.core.emails import auther_accepts, normalise
from migrator.core.envelope import PREFIX, decode
from migrator.core.users import LegacyUser, Reject
from migrator.legacy.changes import open_changes
from migrator.legacy.connect import open_database
from migrator.legacy.lookup import LinkRow, Lookup
from migrator.runner.importing.ends import open_target_if_any
from migrator.runner.importing.imports import make_rules, open_ends
from migrator.runner.stages import current, position
from migrator.runner.support.facts import (
    AutherFacts,
    Cutover,
    LegacyFacts,
    LegacyState,
    LinkFacts,
    Person,
)
from migrator.schemes.native import is_native
from migrator.schemes.registry import claimed_by

if TYPE_CHECKING:
    from migrator.auther.interface import Stored, Target
    from migrator.auther.mapping.rules import Rules
    from migrator.legacy.changes import Changes
    from migrator.legacy.devise import DeviseSource
    from migrator.runner.context import Context


def cutover(ctx: Context) -> Cutover:
    """Give the stage that holds."""
    at = position(current(ctx))
    return Cutover(at.stage, at.percent)


def look_up(ctx: Context, email: str) -> list[Person]:
    """Find everybody with an address; reads both sides and changes nothing.

    Args:
        ctx: The surroundings.
        email: As somebody typed it.

    Returns:
        Whom the login form finds first; others share the address apart from capitals or blanks.
        One person without rows when nobody has it.

    Raises:
        DependencyError: A database cannot be reached.
    """
    with ExitStack() as opened:
        ends = opened.enter_context(open_ends(ctx, writing=False))
        dsn = ctx.reveal(ctx.config.legacy.dsn)
        connection = opened.enter_context(open_database(dsn))
        settings = ctx.config.legacy
        changes = opened.enter_context(open_changes(dsn, ends.source))
        lookup = Lookup(connection, ends.source.columns, source=settings.model)
        target = opened.enter_context(open_target_if_any(ctx))
        return _Gathering(ctx, ends.source, changes, lookup, target).people(email)


@dataclass(frozen=True)
class _Gathering:
    ctx: Context
    source: DeviseSource
    changes: Changes
    lookup: Lookup
    target: Target | None

    def people(self, email: str) -> list[Person]:
        wanted = normalise(email)
        users = self.source.users(self.lookup.keys_of(email, wanted))
        owner = self.target.owners([wanted]).get(wanted, "") if self.target else ""
        if not users:
            link = self.lookup.link(pk=None, auther_id=owner) if owner else None
            return [Person(wanted, None, self._linked(link, None), self._at_auther(owner))]
        users = tuple(sorted(users, key=lambda user: user.email != wanted))
        rules = make_rules(self.ctx, self.changes.among(users))
        return [self._person(user, rules, wanted, owner) for user in users]

    def _person(self, user: LegacyUser, rules: Rules, wanted: str, owner: str) -> Person:
        link = self.lookup.link(pk=user.pk, auther_id=None)
        auther_id = link.auther_id if link else ""
        return Person(
            email=wanted,
            legacy=self._in_application(user, rules),
            link=self._linked(link, user),
            auther=self._at_auther(auther_id or owner),
            taken_by=owner if owner != auther_id else "",
            shadow=self.lookup.last_check(user.pk),
        )

    def _in_application(self, user: LegacyUser, rules: Rules) -> LegacyFacts:
        claim = claimed_by(user.password, user.salt, rules.declared) if user.password else None
        made = to_rows(user, rules)
        return LegacyFacts(
            pk=user.pk,
            state=self._state(user, rules),
            email_found=user.email == self.source.looked_up(user.email or ""),
            has_password=bool(user.password),
            scheme=claim.scheme.name if claim else "",
            second_factor=user.second_factor,
            refused=str(made.reason) if isinstance(made, Reject) else "",
            created_at=_time(user.created_ms),
        )

    def _state(self, user: LegacyUser, rules: Rules) -> LegacyState:
        if user.deleted_ms is not None:
            return LegacyState.DELETED
        if user.disabled or self._is_locked(user, rules.unlock_in_ms):
            return LegacyState.LOCKED
        confirmable = self.source.columns.column("confirmed_at") is not None
        unconfirmed = confirmable and user.confirmed_ms is None
        return LegacyState.UNCONFIRMED if unconfirmed else LegacyState.ACTIVE

    def _is_locked(self, user: LegacyUser, unlock_in_ms: int | None) -> bool:
        if user.locked_ms is None or unlock_in_ms is None:
            return user.locked_ms is not None
        return user.locked_ms + unlock_in_ms > self.ctx.clock.now().timestamp() * 1000

    def _linked(self, link: LinkRow | None, user: LegacyUser | None) -> LinkFacts | None:
        if link is None:
            return None
        password = user.password if user else None
        fingerprint = (
            sha256(password.encode("utf-8", "surrogateescape")).hexdigest() if password else None
        )
        return LinkFacts(
            link.auther_id,
            link.home,
            link.origin,
            link.pinned,
            hash_unchanged=fingerprint == link.fingerprint,
            last_legacy_at=link.last_legacy_at,
            last_auther_at=link.last_auther_at,
            unwritten=self.lookup.unwritten(link.auther_id),
        )

    def _at_auther(self, auther_id: str) -> AutherFacts | None:
        stored = self.target.read([auther_id]).get(auther_id) if self.target else None
        return _facts(stored, now_ms=self.ctx.clock.now().timestamp() * 1000) if stored else None


def _facts(stored: Stored, *, now_ms: float) -> AutherFacts:
    user = stored.user
    banned = user.banned and (user.ban_expires is None or user.ban_expires > now_ms)
    value = next((a.password for a in stored.accounts if a.provider_id == CREDENTIAL), None)
    return AutherFacts(
        id=user.id,
        verified=bool(user.email_verified),
        credential=_kind(value),
        providers=tuple(a.provider_id for a in stored.accounts if a.provider_id != CREDENTIAL),
        ban_reason=(user.ban_reason or "no reason given") if banned else None,
        sign_in_takes_address=auther_accepts(user.email),
        updated_at=_time(user.updated_at),
    )


def _kind(value: str | None) -> str:
    if not value:
        return "none"
    if value == WITHHELD:
        return "not shown, since this is no user of ours, or one with a role"
    if is_native(value):
        return "Auther's own"
    if not value.startswith(PREFIX):
        return "unknown"
    try:
        return f"envelope {decode(value).scheme}"
    except ValueError:
        return "unknown"


def _time(at_ms: int | None) -> datetime | None:
    try:
        return (
            None
            if at_ms is None
            else datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=at_ms)
        )
    except OverflowError:
        return None
