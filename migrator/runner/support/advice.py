"""Says where a person signs in, what stands in the way, and the one next thing to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from migrator.core.stage import Stage
from migrator.runner.support.facts import LegacyState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.runner.support.facts import AutherFacts, Cutover, LegacyFacts, Person


class Door(StrEnum):
    """Where a person is sent to sign in."""

    LEGACY = "the application's own form"
    AUTHER = "Auther"
    EITHER = "the application's own form, or Auther when the browser is among its share"


class Obstacle(NamedTuple):
    """What stands in the way at one door, and what removes it."""

    what: str
    cure: str


@dataclass(frozen=True)
class Advice:
    """The answer to "I can't sign in".

    Attributes:
        signs_in: With the right password this person gets in there.
        reasons: What stands in the way, the most important first.
        next_action: One thing to do.
    """

    door: Door
    signs_in: bool
    reasons: tuple[str, ...]
    next_action: str


def advise(person: Person, cutover: Cutover) -> Advice:
    """Judge one person."""
    door = door_of(person, cutover)
    obstacles = list(_obstacles(person, door))
    if obstacles:
        reasons = tuple(obstacle.what for obstacle in obstacles)
        return Advice(door, signs_in=False, reasons=reasons, next_action=obstacles[0].cure)
    where = "at Auther" if door is Door.AUTHER else "with the application's own link"
    said = f"nothing stands in the way: let them reset the password {where}"
    return Advice(door, signs_in=True, reasons=(), next_action=said)


def door_of(person: Person, cutover: Cutover) -> Door:
    """Say where the login page leads this person."""
    pinned = person.link is not None and person.link.pinned is not None
    if cutover.stage is Stage.LEGACY:
        # After a rollback: who set a password at Auther stays there until it is written back.
        waits = person.link is not None and person.link.home == "auther" and person.link.unwritten
        return Door.AUTHER if waits else Door.LEGACY
    if cutover.stage is Stage.AUTHER:
        return Door.AUTHER
    if pinned:
        return Door.LEGACY
    if cutover.stage is Stage.DRAIN or (person.link and person.link.home == "auther"):
        return Door.AUTHER
    return Door.EITHER if cutover.percent > 0 else Door.LEGACY


def _obstacles(person: Person, door: Door) -> Iterator[Obstacle]:
    if person.legacy is None and person.auther is None:
        yield Obstacle(
            "neither side knows this address",
            "ask which address they signed up with, and look for it in capitals or with a typing error",
        )
        return
    if door is not Door.AUTHER:
        yield from _at_legacy(person.legacy)
    if door is not Door.LEGACY:
        yield from _at_auther(person)


def _at_legacy(legacy: LegacyFacts | None) -> Iterator[Obstacle]:
    if legacy is None:
        yield Obstacle(
            "the application has no such user", "they signed up at Auther: send them there"
        )
        return
    if legacy.state is LegacyState.DELETED:
        yield Obstacle("deleted in the application", "restore the account there if that was wrong")
    if legacy.state is LegacyState.LOCKED:
        yield Obstacle("locked in the application", "unlock the account there")
    if legacy.state is LegacyState.UNCONFIRMED:
        yield Obstacle(
            "the address was never confirmed", "have the application send the confirmation again"
        )
    if not legacy.email_found:
        yield Obstacle(
            "the stored address has capitals or blanks: the login form never finds it",
            "correct the address in the application",
        )
    if not legacy.has_password:
        yield Obstacle(
            "no password: this person comes through a provider",
            "let them use the provider's button",
        )
    elif not legacy.scheme:
        yield Obstacle(
            "the stored password is of no known scheme",
            "let them reset the password in the application",
        )


def _at_auther(person: Person) -> Iterator[Obstacle]:
    if person.auther is None:
        yield _not_there(person)
        return
    if person.link is None:
        yield Obstacle(
            "Auther has this address, but nothing links it to the application (409 identity_unlinked)",
            'if both are one human: action = "link" in the resolution file, then migrator import run',
        )
    elif person.link.pinned is not None:
        yield Obstacle(
            f"pinned to the legacy path ({person.link.pinned}), which this stage has closed",
            "migrator dual-path stage rollback, or remove the reason and import this person",
        )
    yield from _account_at_auther(person.auther)
    if person.shadow and person.shadow != "match":
        yield Obstacle(
            f"Auther refused the password that the application accepted ({person.shadow})",
            "look for a missing or wrong pepper in Auther's environment",
        )


def _account_at_auther(auther: AutherFacts) -> Iterator[Obstacle]:
    if auther.ban_reason is not None:
        yield Obstacle(f"banned at Auther: {auther.ban_reason}", _cure_of_ban(auther.ban_reason))
    if not auther.verified:
        yield Obstacle(
            "the address is not verified at Auther: right password, but 403",
            "have Auther send the verification mail again",
        )
    if not auther.sign_in_takes_address:
        yield Obstacle(
            "Auther's sign-in refuses this form of address", "give this person another address"
        )
    if auther.credential == "unknown":
        yield Obstacle(
            "the password at Auther is of no known scheme",
            "let them reset the password at Auther",
        )
    if auther.credential == "none":
        provider = f"let them sign in through {auther.providers[0]}" if auther.providers else ""
        yield Obstacle(
            "no password at Auther", provider or "let them reset the password at Auther"
        )


def _cure_of_ban(reason: str) -> str:
    if reason.startswith("migrator:"):
        return "lift it in the application, then: migrator import sync"
    return "lift it at Auther if that was wrong"


def _not_there(person: Person) -> Obstacle:
    if person.legacy is not None and person.legacy.refused:
        return Obstacle(
            f"not at Auther: rejected by the import ({person.legacy.refused})",
            "decide about this person in the resolution file: migrator import resolve",
        )
    if person.taken_by:
        return Obstacle(
            "not at Auther: somebody else has the address there",
            "decide about this person in the resolution file: migrator import resolve",
        )
    if person.link is not None:
        return Obstacle(
            "linked, but the user is gone at Auther",
            "if nobody removed them on purpose: migrator import run",
        )
    return Obstacle("not at Auther yet", "migrator import sync")
