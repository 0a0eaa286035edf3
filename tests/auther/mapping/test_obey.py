"""What a person decided about a user is done for that user, and for nobody else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from migrator.auther.interface import Mapped
from migrator.auther.mapping.map import to_rows
from migrator.core.resolutions import ALONE, REMEDIES, Action, Resolution
from migrator.core.times import MAX_DATE_MS
from migrator.core.users import LegacyIdentity, Reject, RejectReason
from tests.auther.mapping.test_map import HOUR_MS, INFINITY_MS, RULES, USER

if TYPE_CHECKING:
    from migrator.auther.mapping.rules import Rules

REASON = RejectReason.EMAIL_COLLISION


def decided(*actions: Action, rules: Rules = RULES, **fields: str) -> Rules:
    entry = Resolution(USER.pk, frozenset(actions), REASON, **fields)
    return replace(rules, resolutions={USER.pk: entry})


def mapped(user: object, rules: Rules) -> Mapped:
    found = to_rows(user, rules)  # type: ignore[arg-type]
    assert isinstance(found, Mapped), found
    return found


def test_another_address_is_taken_instead_of_the_shared_one() -> None:
    shared = replace(RULES, email_loses=lambda _pk, _email, _wanted: True)
    rules = decided(Action.EMAIL, rules=shared, email="new@example.org")
    found = mapped(USER, rules)
    assert found.user.email == "new@example.org"
    assert found.user.id == mapped(USER, RULES).user.id
    other = to_rows(replace(USER, pk="8"), rules)
    assert isinstance(other, Reject)
    assert other.reason is REASON


def test_another_address_helps_whoever_had_none() -> None:
    user = replace(USER, email=None)
    assert mapped(user, decided(Action.EMAIL, email="new@example.org")).user.email


def test_an_address_of_somebody_else_is_given_to_nobody() -> None:
    claimed = replace(RULES, email_claimed=lambda email: email == "bob@example.org")
    found = to_rows(USER, decided(Action.EMAIL, rules=claimed, email="bob@example.org"))
    assert isinstance(found, Reject)
    assert found.reason is RejectReason.EMAIL_COLLISION


def test_the_winner_gets_the_address() -> None:
    shared = replace(RULES, email_loses=lambda _pk, _email, _wanted: True)
    assert mapped(USER, decided(Action.WINS, rules=shared)).user.email == USER.email


def test_a_link_is_no_import() -> None:
    found = to_rows(USER, decided(Action.LINK, auther_id="theirs"))
    assert found == Reject(USER.pk, RejectReason.LINKED, "theirs")


def test_a_password_or_identities_stay_behind() -> None:
    user = replace(USER, password="unknown form", identities=(LegacyIdentity("github", "9", 5),))
    contested = replace(RULES, contested_identities=frozenset({("github", "9")}))
    assert isinstance(to_rows(user, decided(Action.WITHOUT_PASSWORD, rules=contested)), Reject)
    both = decided(Action.WITHOUT_PASSWORD, Action.WITHOUT_IDENTITIES, rules=contested)
    assert mapped(user, both).accounts == ()


def test_a_password_that_is_known_is_not_left_behind() -> None:
    assert len(mapped(USER, decided(Action.WITHOUT_PASSWORD)).accounts) == 1


@pytest.mark.parametrize("at", [INFINITY_MS, -INFINITY_MS])
def test_odd_times_count_as_unknown_and_a_lock_without_end_stays_one(at: int) -> None:
    link = LegacyIdentity("github", "9", at)
    odd = replace(USER, created_ms=at, confirmed_ms=at, identities=(link,))
    found = mapped(odd, decided(Action.TIMES))
    assert (found.user.created_at, found.user.email_verified) == (USER.updated_ms, 1)
    assert found.accounts[1].created_at == USER.updated_ms
    locked = mapped(replace(USER, locked_ms=at), decided(Action.TIMES)).user
    assert (locked.banned, locked.ban_expires) == (int(at > 0), None)
    deleted = mapped(replace(USER, deleted_ms=at), decided(Action.TIMES)).user
    assert deleted.banned == 1


def test_a_lock_whose_end_is_beyond_all_dates_has_none() -> None:
    user = replace(USER, locked_ms=MAX_DATE_MS - HOUR_MS + 1)
    assert mapped(user, decided(Action.TIMES)).user.ban_expires is None


def test_every_reason_has_a_way_out_and_a_second_factor_is_never_waived() -> None:
    assert set(REMEDIES) == set(RejectReason) - {RejectReason.LINKED}
    assert all(Action.SKIP in remedies for remedies in REMEDIES.values())
    for action in set(Action) - ALONE:
        rules = decided(action, email="new@example.org" if action is Action.EMAIL else "")
        assert mapped(replace(USER, second_factor=True), rules).accounts == ()
