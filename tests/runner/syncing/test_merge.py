from __future__ import annotations

from typing import Any

import pytest

from migrator.auther.interface import CREDENTIAL, AccountRow, Mapped, Stored, UserRow
from migrator.core import ids
from migrator.core.users import PinReason
from migrator.legacy.followed import Record
from migrator.runner.syncing.merge import Kind, Step, banned, merge

MARK = b"m" * 32
NOW_MS = 1_000_000
LOCKED = "migrator: locked in the legacy system"
ENVELOPE, OTHER = "migrator:v1:bcrypt:peppers=none:a", "migrator:v1:bcrypt:peppers=none:b"
NATIVE = "0" * 32 + ":" + "0" * 128


def user(**columns: Any) -> UserRow:
    base = UserRow("u1", "Name", "a@b.org", 1, None, 5, 6, "user", 0, None, None, None, None)
    return base._replace(**columns)


def account(
    password: str | None = ENVELOPE, *, provider: str = CREDENTIAL, ours: bool = True
) -> AccountRow:
    made = ids.account_id(MARK, owner="u1", provider=provider, subject="u1")
    return AccountRow(made if ours else f"own-{provider}", "u1", provider, "u1", password, 5, 6)


def step(
    wanted: UserRow,
    found: UserRow,
    *,
    accounts: tuple[AccountRow, ...] = (account(),),
    there: tuple[AccountRow, ...] = (account(),),
    fingerprint: str = "same",
    pinned: PinReason | None = None,
) -> Step | None:
    row = Mapped("1", wanted, accounts, pinned, fingerprint, ())
    record = Record("1", "u1", "legacy", "import", None, "same")
    return merge(row, Stored(found, there), record, mark=MARK, now_ms=NOW_MS)


def after(made: Step | None) -> tuple[UserRow, tuple[AccountRow, ...]]:
    assert made is not None
    assert made.change is not None
    assert made.change.user is not None
    return made.change.user, made.change.accounts


def test_two_sides_that_agree_need_nothing() -> None:
    assert step(user(), user()) is None


def test_picture_and_role_are_authers_own() -> None:
    assert step(user(), user(image="https://p", role="editor")) is None


def test_a_hash_made_at_auther_stays_while_the_applications_is_the_same() -> None:
    assert step(user(), user(), there=(account(NATIVE)._replace(updated_at=99),)) is None


def test_another_hash_in_the_application_replaces_it() -> None:
    made = step(
        user(), user(), accounts=(account(OTHER),), there=(account(NATIVE),), fingerprint="new"
    )
    assert after(made)[1] == (account(OTHER),)
    assert made is not None
    assert made.kinds == {Kind.PASSWORD}
    assert made.record is not None
    assert made.record.fingerprint == "new"


def test_written_at_auther_but_not_yet_noted_it_is_noted_without_writing_again() -> None:
    made = step(
        user(), user(), accounts=(account(OTHER),), there=(account(OTHER),), fingerprint="new"
    )
    assert made is not None
    assert (made.change, made.kinds) == (None, frozenset())
    assert made.record is not None


def test_a_password_set_at_auther_by_a_user_without_one_stays_until_the_application_sets_one() -> (
    None
):
    theirs = account(NATIVE, ours=False)
    assert step(user(), user(), accounts=(), there=(theirs,)) is None
    made = step(user(), user(), there=(theirs,), fingerprint="new")
    assert after(made)[1] == (account(),)


def test_a_second_factor_takes_the_password_away_even_one_hashed_anew() -> None:
    linked = account(None, provider="github", ours=False)
    made = step(
        user(),
        user(),
        accounts=(),
        there=(account(NATIVE), linked),
        pinned=PinReason.SECOND_FACTOR,
    )
    assert after(made)[1] == (linked,)
    assert made is not None
    assert made.kinds == {Kind.PASSWORD}


def test_an_identity_that_we_brought_goes_when_the_application_drops_it() -> None:
    ours, theirs = account(None, provider="google"), account(None, provider="github", ours=False)
    made = step(user(), user(), there=(account(), ours, theirs))
    assert after(made)[1] == (account(), theirs)


@pytest.mark.parametrize(
    ("wanted", "found", "left"),
    [
        # A lock that has ended is not imposed again on somebody whom Auther let in since.
        ((1, LOCKED, NOW_MS - 1), (0, None, None), (0, None, None)),
        ((1, LOCKED, NOW_MS + 1), (0, None, None), (1, LOCKED, NOW_MS + 1)),
        ((0, None, None), (1, LOCKED, None), (0, None, None)),
        # Auther's own bans are not lifted, and only replaced by one that lasts longer.
        ((0, None, None), (1, "abuse", None), (1, "abuse", None)),
        ((0, None, None), (1, "abuse", NOW_MS - 1), (0, None, None)),
        ((1, LOCKED, NOW_MS + 5), (1, "abuse", NOW_MS + 9), (1, "abuse", NOW_MS + 9)),
        ((1, LOCKED, None), (1, "abuse", NOW_MS + 9), (1, LOCKED, None)),
    ],
)
def test_bans(
    wanted: tuple[object, ...], found: tuple[object, ...], left: tuple[object, ...]
) -> None:
    columns = ("banned", "ban_reason", "ban_expires")
    before = user(**dict(zip(columns, found, strict=True)))
    made = step(user(**dict(zip(columns, wanted, strict=True))), before)
    now = before if made is None else after(made)[0]
    assert (now.banned, now.ban_reason, now.ban_expires) == left


def test_a_ban_counts_only_when_it_shuts_somebody_out() -> None:
    shut = {"banned": 1, "ban_reason": LOCKED}
    locked = step(user(**shut, ban_expires=NOW_MS + 1), user())
    assert locked is not None
    assert locked.kinds == {Kind.BAN}
    longer = step(user(**shut), user(**shut, ban_expires=NOW_MS + 1))
    assert longer is not None
    assert longer.kinds == frozenset()


def test_whoever_is_gone_is_shut_out_once() -> None:
    record = Record("1", "u1", "legacy", "import", None, None)
    made = banned(Stored(user(), (account(),)), record, "gone", now_ms=NOW_MS)
    found, accounts = after(made)
    assert (found.banned, found.ban_reason, found.ban_expires) == (1, "gone", None)
    assert accounts == (account(),), "the way back is not burnt"
    assert banned(Stored(found, accounts), record, "gone", now_ms=NOW_MS) is None
