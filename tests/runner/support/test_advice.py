from __future__ import annotations

from dataclasses import replace

import pytest

from migrator.core.stage import Stage
from migrator.runner.support.advice import Door, advise, door_of
from migrator.runner.support.facts import (
    AutherFacts,
    Cutover,
    LegacyFacts,
    LegacyState,
    LinkFacts,
    Person,
)

LEGACY = LegacyFacts(
    pk="7",
    state=LegacyState.ACTIVE,
    email_found=True,
    has_password=True,
    scheme="bcrypt",
    second_factor=False,
)
LINK = LinkFacts("a7", "legacy", "import", None, True, None, None)
AUTHER = AutherFacts("a7", True, "envelope bcrypt", (), None, True)
ANN = Person("ann@example.org", LEGACY, LINK, AUTHER)
MOVED = replace(ANN, link=replace(LINK, home="auther"))
UNWRITTEN = replace(ANN, link=replace(LINK, home="auther", unwritten=1))
PINNED = replace(ANN, link=replace(LINK, pinned="second_factor"))
IN_LEGACY, IN_DUAL = Cutover(Stage.LEGACY, 0), Cutover(Stage.DUAL, 5)
IN_DRAIN, IN_AUTHER = Cutover(Stage.DRAIN, 0), Cutover(Stage.AUTHER, 0)


@pytest.mark.parametrize(
    ("person", "cutover", "door"),
    [
        (ANN, IN_LEGACY, Door.LEGACY),
        (MOVED, IN_LEGACY, Door.LEGACY),
        (UNWRITTEN, IN_LEGACY, Door.AUTHER),
        (ANN, Cutover(Stage.DUAL, 0), Door.LEGACY),
        (ANN, IN_DUAL, Door.EITHER),
        (MOVED, IN_DUAL, Door.AUTHER),
        (PINNED, IN_DUAL, Door.LEGACY),
        (PINNED, IN_DRAIN, Door.LEGACY),
        (PINNED, IN_AUTHER, Door.AUTHER),
        (ANN, IN_DRAIN, Door.AUTHER),
        (ANN, IN_AUTHER, Door.AUTHER),
    ],
)
def test_the_door_follows_stage_and_home(person: Person, cutover: Cutover, door: Door) -> None:
    assert door_of(person, cutover) is door


@pytest.mark.parametrize("cutover", [IN_LEGACY, IN_DUAL, IN_DRAIN, IN_AUTHER])
def test_without_obstacles_the_password_is_reset_where_the_door_is(cutover: Cutover) -> None:
    advice = advise(ANN, cutover)
    assert advice.signs_in
    assert "reset the password" in advice.next_action
    assert ("at Auther" in advice.next_action) == (advice.door is Door.AUTHER)


def _legacy(**changes: object) -> Person:
    return replace(ANN, legacy=replace(LEGACY, **changes))  # type: ignore[arg-type]


def _auther(**changes: object) -> Person:
    return replace(ANN, auther=replace(AUTHER, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("person", "cutover", "reason", "next_action"),
    [
        (_legacy(state=LegacyState.LOCKED), IN_LEGACY, "locked", "unlock"),
        (_legacy(state=LegacyState.DELETED), IN_LEGACY, "deleted", "restore"),
        (_legacy(state=LegacyState.UNCONFIRMED), IN_LEGACY, "never confirmed", "confirmation"),
        (_legacy(email_found=False), IN_LEGACY, "capitals", "correct"),
        (_legacy(has_password=False), IN_LEGACY, "no password", "provider's button"),
        (_legacy(scheme=""), IN_LEGACY, "no known scheme", "reset"),
        (_auther(verified=False), IN_DRAIN, "403", "verification mail"),
        (_auther(ban_reason="migrator: locked in the legacy system"), IN_DRAIN, "banned", "sync"),
        (_auther(ban_reason="spam"), IN_DRAIN, "spam", "at Auther"),
        (_auther(credential="none"), IN_DRAIN, "no password", "reset"),
        (_auther(credential="none", providers=("google",)), IN_DRAIN, "no password", "google"),
        (_auther(credential="unknown"), IN_DRAIN, "no known scheme", "reset"),
        (_auther(sign_in_takes_address=False), IN_DRAIN, "refuses this form", "another address"),
        (replace(ANN, shadow="pepper_missing"), IN_DRAIN, "pepper_missing", "pepper"),
        (replace(ANN, auther=None), IN_DRAIN, "gone at Auther", "import run"),
        (replace(ANN, auther=None, link=None), IN_DRAIN, "not at Auther yet", "import sync"),
        (replace(ANN, auther=None, link=None, taken_by="x"), IN_DRAIN, "somebody else", "resolve"),
        (replace(ANN, link=None), IN_DRAIN, "identity_unlinked", "link"),
        (PINNED, IN_AUTHER, "pinned", "stage rollback"),
        (replace(ANN, legacy=None), IN_LEGACY, "no such user", "send them there"),
        (Person("x@y.z", None, None, None), IN_DUAL, "neither side", "which address"),
    ],
)
def test_each_obstacle_has_a_reason_and_one_next_action(
    person: Person, cutover: Cutover, reason: str, next_action: str
) -> None:
    advice = advise(person, cutover)
    assert not advice.signs_in
    assert reason in advice.reasons[0]
    assert next_action in advice.next_action


def test_the_other_side_s_troubles_are_no_obstacle() -> None:
    assert advise(_legacy(state=LegacyState.LOCKED), IN_DRAIN).signs_in
    assert advise(_auther(verified=False), IN_LEGACY).signs_in


def test_at_either_door_both_sides_count() -> None:
    person = replace(_legacy(state=LegacyState.LOCKED), auther=None)
    assert len(advise(person, IN_DUAL).reasons) == 2


def test_who_was_rejected_is_told_so() -> None:
    person = replace(_legacy(refused="email_collision"), auther=None, link=None)
    assert "email_collision" in advise(person, IN_AUTHER).reasons[0]
