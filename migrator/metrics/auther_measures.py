"""What can be measured of Auther by its plugin's statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.metrics.base import Base, Mark, since
from migrator.metrics.both_sides import AutherLook, PasswordsLook
from migrator.metrics.interface import Doubt, Grade, Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.metrics.look import Look


def counted(look: Look, base: Base | None, count: Callable[[AutherLook], float]) -> Reading:
    """Count since the look before, by the process that answered then.

    Where several processes take turns, each is a stranger after another one: no number.
    """
    found = look.auther or AutherLook(doubts=(Doubt(Grade.NO_DATA, "Auther was not asked"),))
    if found.doubts:
        return Reading(None, found.doubts, evidence={"base": base.to_json()} if base else {})
    marks = {f"Auther's process {found.process}": Mark(found.started_at_s, count(found), look.at)}
    base = base and _of_last_look(base)
    ended = base.marks.keys() - marks.keys() if base else ()
    lost = [f"{name} answers no more: what it counted last is lost" for name in ended]
    return since(base, marks, at=look.at, doubts=(), lost=lost)


def _of_last_look(base: Base) -> Base:
    return Base(base.at, {name: m for name, m in base.marks.items() if m.at == base.at})


def unrehashed_users(look: Look) -> Reading:
    """Count users whose legacy hash still waits for their next sign-in."""
    found = look.passwords or PasswordsLook(doubts=(Doubt(Grade.NO_DATA, "Auther was not asked"),))
    if found.doubts:
        return Reading(None, found.doubts)
    if found.ours < 1:
        reason = "no account there is of this migration: another Auther, or migrator import run"
        return Reading(None, (Doubt(Grade.NO_DATA, reason),))
    evidence = {
        "envelopes": dict(found.envelopes),
        "native": found.native,
        "unknown": found.unknown,
    }
    return Reading(float(sum(found.envelopes.values())), evidence=evidence)
