from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrator.config.sync import SyncSection
from migrator.core.errors import HeldError, UsageError
from migrator.runner.syncing.brake import Brake, Harm, enough_users, excesses
from migrator.runner.syncing.merge import Kind

if TYPE_CHECKING:
    from pathlib import Path


def harm(count: int, kind: Kind = Kind.BAN, *, first: int = 0) -> Harm:
    return Harm({str(pk): frozenset({kind}) for pk in range(first, first + count)})


@pytest.fixture
def brake(tmp_path: Path) -> Brake:
    return Brake(SyncSection(), tmp_path / "brake.jsonl")


@pytest.mark.parametrize(
    ("users", "allowed"), [(10, 1), (1_000, 5), (19_999, 99), (20_000, 100), (1_000_000, 100)]
)
@pytest.mark.parametrize("kind", [Kind.BAN, Kind.DELETE])
def test_bans_and_deletions_stop_beyond_half_a_percent_or_a_hundred(
    users: int, allowed: int, kind: Kind
) -> None:
    assert excesses(harm(allowed, kind), SyncSection(), users=users) == []
    assert excesses(harm(allowed + 1, kind), SyncSection(), users=users)


@pytest.mark.parametrize("kind", [Kind.BAN, Kind.PASSWORD, Kind.ROLE])
@pytest.mark.parametrize("share", [0.005, 0.05, 0.07, 1 / 3, 1])
def test_from_enough_users_on_no_brake_holds_and_far_below_it_does(
    kind: Kind, share: float
) -> None:
    settings = SyncSection(max_bans_share=share, max_passwords_share=share)
    for count in range(1, 101):
        users = enough_users(harm(count, kind), settings)
        assert users is not None
        assert excesses(harm(count, kind), settings, users=users) == []
        fewer = users - 3
        assert count == 1 or excesses(harm(count, kind), settings, users=fewer)


def test_no_number_of_users_is_enough_for_more_than_may_ever_be_lost() -> None:
    assert enough_users(harm(101), SyncSection()) is None
    assert enough_users(harm(2, Kind.PASSWORD), SyncSection(max_passwords_share=0)) is None
    assert enough_users(Harm(), SyncSection()) is not None


def test_bans_and_deletions_count_together_and_passwords_apart() -> None:
    both = Harm({**harm(3).kinds, **harm(3, Kind.DELETE, first=3).kinds})
    assert len(excesses(both, SyncSection(), users=1_000)) == 1
    assert excesses(harm(50, Kind.PASSWORD), SyncSection(), users=1_000) == []
    assert excesses(harm(51, Kind.PASSWORD), SyncSection(), users=1_000)


def test_what_is_held_is_listed_for_its_owner_only(brake: Brake, tmp_path: Path) -> None:
    with pytest.raises(HeldError, match=r"would ban or delete 6 of 1,000 users, more than 5"):
        brake.check(harm(6), users=1_000)
    file = tmp_path / "brake.jsonl"
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(file.read_text(encoding="utf-8").splitlines()) == 6


def test_a_release_lets_that_set_through_and_what_is_left_of_it(brake: Brake) -> None:
    held = harm(50)
    with pytest.raises(HeldError) as caught:
        brake.check(held, users=1_000)
    assert caught.value.hint.endswith(f"import sync --release-brake {held.digest()}")
    brake.check(held, users=1_000, release=held.digest())
    # Killed half-way, the same command finds fewer of them.
    brake.check(harm(20), users=1_000, release=held.digest())
    brake.clear()
    brake.check(harm(0), users=1_000, release=held.digest())


def test_a_release_lets_nobody_else_through(brake: Brake) -> None:
    held = harm(50)
    with pytest.raises(HeldError):
        brake.check(held, users=1_000)
    with pytest.raises(UsageError, match="what is held has the hash"):
        brake.check(held, users=1_000, release="0" * 16)
    with pytest.raises(HeldError, match="would ban or delete 6 of"):
        brake.check(harm(56), users=1_000, release=held.digest())
    # That was held anew, under another hash.
    with pytest.raises(UsageError):
        brake.check(harm(56), users=1_000, release=held.digest())


def test_a_release_of_bans_releases_no_passwords_of_the_same_users(brake: Brake) -> None:
    held = harm(60)
    with pytest.raises(HeldError):
        brake.check(held, users=1_000)
    with pytest.raises(HeldError, match="change the password"):
        brake.check(harm(60, Kind.PASSWORD), users=1_000, release=held.digest())
