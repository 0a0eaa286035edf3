"""Carries out what the resolution file says about a user, before the user is mapped. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from migrator.core.emails import normalise
from migrator.core.resolutions import Action, Resolution
from migrator.core.times import clamped, is_odd

if TYPE_CHECKING:
    from migrator.auther.mapping.rules import Rules
    from migrator.core.users import LegacyUser


def obeying(user: LegacyUser, rules: Rules, resolution: Resolution) -> tuple[LegacyUser, Rules]:
    """Give the user, and the rules for this user, as a person decided.

    Nothing is decided about anybody else: whoever shares the address is judged by the rules as
    they are.
    """
    actions = resolution.actions
    if Action.EMAIL in actions:
        user, rules = _with_new_address(user, rules, resolution.email)
    if Action.WINS in actions:
        rules = replace(rules, email_loses=_never)
    if Action.TIMES in actions:
        user, rules = _with_real_times(user, rules)
    if Action.WITHOUT_IDENTITIES in actions:
        user = replace(user, identities=())
    if Action.WITHOUT_PASSWORD in actions:
        rules = replace(rules, unsupported_hash="without_credential")
    return user, rules


def _never(_pk: str, _email: str, _wanted: str) -> bool:
    return False


def _with_new_address(user: LegacyUser, rules: Rules, email: str) -> tuple[LegacyUser, Rules]:
    if normalise(user.email or "") == email:
        return user, rules
    # Nobody is given an address that somebody else has, in whatever spelling.
    is_claimed = rules.email_claimed(email)
    rules = replace(rules, email_loses=lambda _pk, _email, _wanted: is_claimed)
    return replace(user, email=email), rules


def _with_real_times(user: LegacyUser, rules: Rules) -> tuple[LegacyUser, Rules]:
    """Take odd times for unknown where they only inform; a lock without end stays one."""
    lock_ends = None if user.locked_ms is None else user.locked_ms + (rules.unlock_in_ms or 0)
    if lock_ends is not None and lock_ends > 0 and is_odd(lock_ends):
        rules = replace(rules, unlock_in_ms=None)
    links = tuple(
        replace(link, created_ms=None) if is_odd(link.created_ms) else link
        for link in user.identities
    )
    return replace(
        user,
        created_ms=None if is_odd(user.created_ms) else user.created_ms,
        confirmed_ms=clamped(user.confirmed_ms),
        locked_ms=clamped(user.locked_ms),
        deleted_ms=clamped(user.deleted_ms),
        identities=links,
    ), rules
