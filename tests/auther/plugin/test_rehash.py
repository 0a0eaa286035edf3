"""What happens to the stored value after a sign-in, and what never happens to it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from migrator.core.envelope import PREFIX
from tests.auther.plugin.conftest import PEPPERS
from tests.auther.plugin.native import native_matches
from tests.auther.plugin.users import LONG_AGO_MS, User, Users, bcrypt_envelope
from tests.parts.better_auth import BetterAuth


def test_the_first_success_stores_the_native_format(auther: BetterAuth, users: Users) -> None:
    user = users.add(bcrypt_envelope("correct horse" + PEPPERS["2024-b"], "2024-b"))
    before = users.account(user)
    first = auther.sign_in(user.email, "correct horse")
    after = users.account(user)

    assert (first.status, first.user_id) == (200, user.id)
    assert native_matches(str(after["password"]), "correct horse")
    assert int(str(after["updated_at"])) > LONG_AGO_MS
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"password", "updated_at"}


def test_the_second_sign_in_runs_on_the_native_value(auther: BetterAuth, users: Users) -> None:
    user = users.add(bcrypt_envelope("correct horse"))
    assert auther.sign_in(user.email, "correct horse").status == 200
    native = users.account(user)
    assert auther.sign_in(user.email, "correct horse").status == 200
    assert auther.sign_in(user.email, "wrong horse").status == 401
    assert users.account(user) == native


def test_a_wrong_password_leaves_the_row_as_it_was(auther: BetterAuth, users: Users) -> None:
    user = users.add(bcrypt_envelope("correct horse"))
    before = users.account(user)
    assert auther.sign_in(user.email, "wrong horse").status == 401
    assert users.account(user) == before


def test_other_rows_stay_as_they_were(auther: BetterAuth, users: Users) -> None:
    stored = bcrypt_envelope("shared password")
    user = users.add(stored)
    users.add(stored)
    others = "SELECT * FROM account WHERE user_id <> ? OR provider_id <> 'credential'"
    before = users.rows(others, user.id)
    assert auther.sign_in(user.email, "shared password").status == 200
    assert users.rows(others, user.id) == before
    assert not users.stored(user).startswith(PREFIX)


def test_signing_in_by_username_counts_too(auther: BetterAuth, users: Users) -> None:
    user = users.add(bcrypt_envelope("correct horse"))
    assert auther.sign_in_username(user.username, "correct horse").status == 200
    assert native_matches(users.stored(user), "correct horse")


def test_users_with_the_same_password_at_the_same_time(auther: BetterAuth, users: Users) -> None:
    same = [users.add(bcrypt_envelope("password1")) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda user: auther.sign_in(user.email, "password1"), same)
    assert [answer.user_id for answer in answers] == [user.id for user in same]
    assert all(native_matches(users.stored(user), "password1") for user in same)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"banned": True}, "BANNED_USER"),
        ({"verified": False}, "EMAIL_NOT_VERIFIED"),
        ({"verified": False, "banned": True}, "EMAIL_NOT_VERIFIED"),
    ],
)
def test_who_may_not_sign_in_keeps_the_envelope(
    auther: BetterAuth, users: Users, state: dict[str, bool], code: str
) -> None:
    user = users.add(bcrypt_envelope("correct horse"), **state)
    before = users.account(user)
    answer = auther.sign_in(user.email, "correct horse")
    assert (answer.status, answer.code) == (403, code)
    assert auther.sign_in(user.email, "wrong horse").status == 401
    assert users.account(user) == before


def test_a_ban_that_is_over_no_longer_counts(auther: BetterAuth, users: Users) -> None:
    user = users.add(bcrypt_envelope("pass word"), banned=True, ban_expires_ms=LONG_AGO_MS)
    assert auther.sign_in(user.email, "pass word").status == 200
    assert native_matches(users.stored(user), "pass word")


@pytest.mark.parametrize("password", ["p" * 72, "p" * 100, "ж" * 36, "ж" * 60])
def test_72_bytes_and_more_keep_the_envelope(
    auther: BetterAuth, users: Users, password: str
) -> None:
    user = users.add(bcrypt_envelope(password))
    before = users.account(user)
    assert auther.sign_in(user.email, password + " with any tail").status == 200
    assert auther.sign_in(user.email, password).status == 200
    assert users.account(user) == before


@pytest.mark.parametrize("password", ["p" * 71, "ж" * 35 + "p"])
def test_71_bytes_are_rehashed(auther: BetterAuth, users: Users, password: str) -> None:
    user = users.add(bcrypt_envelope(password))
    assert auther.sign_in(user.email, password).status == 200
    assert native_matches(users.stored(user), password)


@pytest.mark.parametrize("meanwhile", ["native", "envelope"])
def test_a_value_that_changed_meanwhile_is_not_overwritten(
    auther: BetterAuth, users: Users, meanwhile: str
) -> None:
    """The session row is written after the password was compared and before the rehash."""
    user = users.add(bcrypt_envelope("old password"))
    newer = (
        f"{'ab' * 16}:{'cd' * 64}" if meanwhile == "native" else bcrypt_envelope("new password")
    )
    on_session(users, user, f"UPDATE account SET password = '{newer}' WHERE user_id = '{user.id}'")
    assert auther.sign_in(user.email, "old password").status == 200
    assert users.stored(user) == newer


def test_a_rehash_that_fails_does_not_stop_the_sign_in(auther: BetterAuth, users: Users) -> None:
    stored = bcrypt_envelope("correct horse")
    user = users.add(stored)
    users.run(
        f"CREATE TRIGGER refuse_{user.id} BEFORE UPDATE ON account WHEN OLD.user_id = '{user.id}' "
        "BEGIN SELECT raise(ABORT, 'no'); END"
    )
    assert auther.sign_in(user.email, "correct horse").status == 200
    assert users.stored(user) == stored
    assert "migrator: rehash failed" in auther.log()
    users.run(f"DROP TRIGGER refuse_{user.id}")
    assert auther.sign_in(user.email, "correct horse").status == 200
    assert native_matches(users.stored(user), "correct horse")


def test_the_log_holds_no_hash_password_or_pepper(auther: BetterAuth, users: Users) -> None:
    user = users.add(bcrypt_envelope("a telling password" + PEPPERS["2019"], "2019"))
    assert auther.sign_in(user.email, "a telling passwort").status == 401
    assert auther.sign_in(user.email, "a telling password").status == 200
    log = auther.log()
    for secret in ("a telling passwor", "$2a$", "$2b$", PREFIX, *PEPPERS.values()):
        assert secret not in log


def on_session(users: Users, user: User, statement: str) -> None:
    """Let the database run a statement whenever a session of this user begins."""
    users.run(
        f"CREATE TRIGGER meanwhile_{user.id} AFTER INSERT ON session "
        f"WHEN NEW.user_id = '{user.id}' BEGIN {statement}; END"
    )
