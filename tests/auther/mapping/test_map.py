"""Each state of a legacy user becomes exactly the rows that Auther understands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrator.auther.interface import AccountRow, Mapped, Note, UserRow
from migrator.auther.mapping.map import to_rows
from migrator.auther.mapping.rules import Rules
from migrator.core.times import MAX_DATE_MS
from migrator.core.users import LegacyIdentity, LegacyUser, PinReason, Reject, RejectReason

HASH = "$2a$12$" + "a" * 53
HOUR_MS = 3_600_000
NOW_MS = 1_800_000_000_000
INFINITY_MS = 2**63 - 1
RULES = Rules(
    mark=b"m" * 32,
    namespace="shop",
    source="User",
    key=b"k" * 32,
    derived_ids=True,
    verified_when="confirmed",
    unlock_in_ms=HOUR_MS,
    soft_deleted="ban",
    unsupported_hash="reject",
    now_ms=NOW_MS,
    peppers=("2024", "none"),
)
USER = LegacyUser(
    pk="7",
    email="ada@example.org",
    password=HASH,
    name="Ada",
    username=None,
    created_ms=1,
    updated_ms=2,
    confirmed_ms=3,
    locked_ms=None,
    deleted_ms=None,
    second_factor=False,
)


def mapped(user: LegacyUser, rules: Rules = RULES) -> Mapped:
    found = to_rows(user, rules)
    assert isinstance(found, Mapped), found
    return found


def reason(user: LegacyUser, rules: Rules = RULES) -> RejectReason:
    found = to_rows(user, rules)
    assert isinstance(found, Reject), found
    assert user.email is None or len(user.email) < 3 or user.email not in found.detail
    return found.reason


def test_an_ordinary_user_becomes_one_user_and_one_credential() -> None:
    found = mapped(USER)
    user_id = found.user.id
    assert found.user == UserRow(
        user_id, "Ada", "ada@example.org", 1, None, 1, 2, "user", 0, None, None, None, None
    )
    (account,) = found.accounts
    assert account == AccountRow(
        account.id, user_id, "credential", user_id,
        f"migrator:v1:bcrypt:peppers=2024,none:{HASH}", 1, 1,
    )  # fmt: skip
    assert (found.pinned, found.notes) == (None, ())


def test_a_sign_in_which_moves_the_time_of_the_users_row_changes_nothing_of_the_account() -> None:
    later = mapped(replace(USER, updated_ms=3))
    assert later.user.updated_at == 3
    assert later.accounts == mapped(USER).accounts


def test_ids_are_stable_and_differ_by_migration_source_key_and_user() -> None:
    ids = {
        mapped(USER).user.id,
        mapped(replace(USER, pk="8")).user.id,
        mapped(USER, replace(RULES, namespace="other")).user.id,
        mapped(USER, replace(RULES, source="AdminUser")).user.id,
        mapped(USER, replace(RULES, key=b"j" * 32)).user.id,
        mapped(replace(USER, pk=str(2**63 - 1))).user.id,
    }
    assert len(ids) == 6
    assert mapped(USER).user.id in ids
    assert mapped(USER, replace(RULES, derived_ids=False)).user.id == "7"


@pytest.mark.parametrize("password", [None, ""])
def test_without_a_password_there_is_no_credential(password: str | None) -> None:
    found = mapped(replace(USER, password=password))
    assert (found.accounts, found.fingerprint) == ((), None)
    assert found.notes == (Note.NO_PASSWORD,)


@pytest.mark.parametrize(
    "value",
    [
        "d41d8cd98f00b204e9800998ecf8427e",
        HASH[:59],
        HASH + "a",
        HASH + "\n",
        " " + HASH,
        HASH[:29] + "." * 31,
        "$2a$03$" + "a" * 53,
        "$2a$32$" + "a" * 53,
        "$argon2id$v=19$m=65536,t=2,p=1$c2FsdA$aGFzaA",
        "*",
    ],
)
def test_a_value_that_no_scheme_claims_is_rejected_or_left_behind(value: str) -> None:
    user = replace(USER, password=value)
    assert reason(user) is RejectReason.UNSUPPORTED_HASH
    assert value not in str(to_rows(user, RULES))
    found = mapped(user, replace(RULES, unsupported_hash="without_credential"))
    assert (found.accounts, found.notes) == ((), (Note.HASH_LEFT_BEHIND,))
    assert found.fingerprint is not None


@pytest.mark.parametrize("email", [None, "", " ", "\t\r\n"])
def test_nobody_comes_without_an_address(email: str | None) -> None:
    assert reason(replace(USER, email=email)) is RejectReason.EMAIL_MISSING


@pytest.mark.parametrize("email", ["\u00a0", "weird", "a@b", "zoë@example.org", "a b@example.org"])
def test_an_address_that_sign_in_refuses_pins_the_user(email: str) -> None:
    found = mapped(replace(USER, email=email))
    assert (found.user.email, found.accounts) == (email, ())
    assert found.pinned is PinReason.EMAIL_UNREACHABLE


def test_an_address_is_stored_as_devise_looks_it_up() -> None:
    assert mapped(replace(USER, email=" Ada@Example.ORG\n")).user.email == "ada@example.org"
    assert (
        mapped(replace(USER, email="\u00a0\u0391\u03a3@X.org")).user.email
        == "\u00a0\u03b1\u03c3@x.org"
    )


def test_a_second_factor_brings_no_way_in_at_all() -> None:
    link = LegacyIdentity("github", "1", 5)
    found = mapped(replace(USER, second_factor=True, identities=(link,)))
    assert (found.accounts, found.pinned) == ((), PinReason.SECOND_FACTOR)
    assert found.notes == (Note.HASH_LEFT_BEHIND, Note.IDENTITIES_WITHHELD)


@pytest.mark.parametrize(
    ("locked_ms", "unlock_in_ms", "expected"),
    [
        (NOW_MS - HOUR_MS, HOUR_MS, (0, None)),
        (NOW_MS - HOUR_MS + 1, HOUR_MS, (1, NOW_MS + 1)),
        (NOW_MS + 5, HOUR_MS, (1, NOW_MS + 5 + HOUR_MS)),
        (1, None, (1, None)),
    ],
)
def test_a_lock_bans_for_as_long_as_it_would_hold(
    locked_ms: int, unlock_in_ms: int | None, expected: tuple[int, int | None]
) -> None:
    rules = replace(RULES, unlock_in_ms=unlock_in_ms)
    user = mapped(replace(USER, locked_ms=locked_ms), rules).user
    assert (user.banned, user.ban_expires) == expected


def test_a_deleted_user_is_banned_for_ever_or_rejected() -> None:
    deleted = replace(USER, deleted_ms=5, locked_ms=NOW_MS)
    user = mapped(deleted).user
    assert (user.banned, user.ban_expires) == (1, None)
    assert reason(deleted, replace(RULES, soft_deleted="reject")) is RejectReason.SOFT_DELETED


@pytest.mark.parametrize(
    ("verified_when", "confirmed_ms", "verified"),
    [("confirmed", 1, 1), ("confirmed", None, 0), ("always", None, 1), ("never", 1, 0)],
)
def test_who_counts_as_verified(
    verified_when: str, confirmed_ms: int | None, verified: int
) -> None:
    rules = replace(RULES, verified_when=verified_when)
    assert mapped(replace(USER, confirmed_ms=confirmed_ms), rules).user.email_verified == verified


@pytest.mark.parametrize("field", ["created_ms", "confirmed_ms", "locked_ms", "deleted_ms"])
@pytest.mark.parametrize("at", [INFINITY_MS, -INFINITY_MS, MAX_DATE_MS + 1, -MAX_DATE_MS - 1])
def test_a_time_that_no_date_holds_rejects_the_user(field: str, at: int) -> None:
    assert reason(replace(USER, **{field: at})) is RejectReason.TIMESTAMP_OUT_OF_RANGE


@pytest.mark.parametrize("at", [INFINITY_MS, -INFINITY_MS, MAX_DATE_MS + 1])
def test_an_odd_time_of_the_last_change_keeps_nobody_out(at: int) -> None:
    found = mapped(replace(USER, updated_ms=at))
    assert (found.user.created_at, found.user.updated_at) == (1, 1)
    assert found.notes == (Note.TIME_REPLACED,)
    alone = mapped(replace(USER, created_ms=None, updated_ms=at)).user
    assert (alone.created_at, alone.updated_at) == (NOW_MS, NOW_MS)


def test_a_lock_that_ends_beyond_all_dates_rejects_the_user() -> None:
    assert reason(replace(USER, locked_ms=MAX_DATE_MS)) is RejectReason.TIMESTAMP_OUT_OF_RANGE


def test_missing_times_are_filled_from_each_other() -> None:
    user = mapped(replace(USER, created_ms=None, updated_ms=None)).user
    assert (user.created_at, user.updated_at) == (NOW_MS, NOW_MS)
    user = mapped(replace(USER, created_ms=None)).user
    assert (user.created_at, user.updated_at) == (2, 2)
    assert mapped(replace(USER, created_ms=MAX_DATE_MS)).user.created_at == MAX_DATE_MS


@pytest.mark.parametrize("field", ["email", "name", "username", "password"])
@pytest.mark.parametrize("text", ["a\0b@example.org", "a\udcffb@example.org"])
def test_text_that_is_none_is_rejected(field: str, text: str) -> None:
    assert reason(replace(USER, **{field: text})) is RejectReason.TEXT_NOT_STORABLE


def test_identities_become_accounts_once_each() -> None:
    links = (LegacyIdentity("github", "9", 5), LegacyIdentity("github", "9", 5))
    found = mapped(
        replace(USER, password=None, identities=(*links, LegacyIdentity("x", "9", None)))
    )
    assert [(a.provider_id, a.account_id, a.password, a.created_at) for a in found.accounts] == [
        ("github", "9", None, 5),
        ("x", "9", None, 1),
    ]
    assert len({account.id for account in found.accounts}) == 2


def test_an_identity_of_two_users_rejects_both_and_a_provider_is_never_a_password() -> None:
    user = replace(USER, identities=(LegacyIdentity("github", "9", 5),))
    contested = replace(RULES, contested_identities=frozenset({("github", "9")}))
    assert reason(user, contested) is RejectReason.IDENTITY_TAKEN
    forged = replace(USER, identities=(LegacyIdentity("credential", "9", 5),))
    assert reason(forged) is RejectReason.IDENTITY_TAKEN


@pytest.mark.parametrize(
    ("username", "stored"),
    [("Ada.L_1", "ada.l_1"), ("ab", None), ("a" * 31, None), ("a-b", None), ("ada\n", None)],
)
def test_user_names_follow_authers_rules(username: str, stored: str | None) -> None:
    found = mapped(replace(USER, username=username))
    assert found.user.username == stored
    assert found.user.display_username == (username if stored else None)
    assert (Note.USERNAME_DROPPED in found.notes) == (stored is None)


def test_a_user_name_of_two_users_goes_to_neither() -> None:
    rules = replace(RULES, contested_usernames=frozenset({"ada"}))
    assert mapped(replace(USER, username="ADA"), rules).user.username is None


def test_the_key_shows_in_no_representation() -> None:
    assert "kkkk" not in repr(RULES)
