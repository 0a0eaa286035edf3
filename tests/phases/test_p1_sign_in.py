"""Imported users sign in at the real better-auth with the passwords they always had, and nobody else does."""

from __future__ import annotations

import csv
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from migrator.core.clock import ManualClock
from migrator.core.emails import normalise
from migrator.runner.importing.proof import Answer
from phases import p1_import
from tests.parts.better_auth import BetterAuth
from tests.phases.importing import PEPPER, PEPPER_ID, Site, make_site, oracle

if TYPE_CHECKING:
    from pathlib import Path

Start = Callable[..., BetterAuth]

# What Auther answers to the right password, by the oracle's category; all others sign in.
REFUSALS = {
    "blank_email": (400, "INVALID_EMAIL"),
    "null_email": (400, "INVALID_EMAIL"),
    "dup_case_b": (401, "INVALID_EMAIL_OR_PASSWORD"),
    "legacy_md5": (401, "INVALID_EMAIL_OR_PASSWORD"),
    "legacy_sha1": (401, "INVALID_EMAIL_OR_PASSWORD"),
    "omniauth_only": (401, "INVALID_EMAIL_OR_PASSWORD"),
    "null_password": (401, "INVALID_EMAIL_OR_PASSWORD"),
    "totp": (401, "INVALID_EMAIL_OR_PASSWORD"),
    "unicode_email": (400, "INVALID_EMAIL"),
    "locked_now": (403, "BANNED_USER"),
    "soft_deleted": (403, "BANNED_USER"),
    "unconfirmed": (403, "EMAIL_NOT_VERIFIED"),
}
BCRYPT_BYTES = 72
# The one address of `invalid_looking_email` that Auther's sign-in takes.
TAKEN_ADDRESS = "quote'455@example.com"


@dataclass(frozen=True)
class Known:
    """A user whose password the oracle knows."""

    category: str
    email: str
    password: str

    @property
    def refusal(self) -> tuple[int, str] | None:
        if self.category == "invalid_looking_email":
            return None if self.email == TAKEN_ADDRESS else (400, "INVALID_EMAIL")
        return REFUSALS.get(self.category)


def known_users() -> list[Known]:
    return [
        Known(row["category"], normalise(row["email"]), row["plaintext_password"])
        for row in oracle()
    ]


def is_namesake(user: Known) -> bool:
    """One rejected user's password has the same 72 bytes as that of the user who kept the address."""
    return user.category == "dup_case_b" and len(user.password.encode()) >= BCRYPT_BYTES


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The dump, imported just now, by users who were locked just now."""
    made = make_site(tmp_path, devise_db, monkeypatch, identities="public.identities")
    now = datetime.now(UTC)
    locked = [row["id"] for row in oracle() if row["category"] == "locked_now"]
    made.sql(
        "UPDATE users SET locked_at = %s WHERE id = ANY(%s)",
        (now - timedelta(minutes=10)).replace(tzinfo=None),
        [int(pk) for pk in locked],
    )
    made = replace(made, ctx=replace(made.ctx, clock=ManualClock(now)))
    p1_import.run(made.ctx)
    return made


@pytest.fixture
def auther(site: Site, better_auth: Start) -> BetterAuth:
    return better_auth(site.auther_db, peppers={PEPPER_ID: PEPPER})


def answers(auther: BetterAuth, users: list[Known], password: str = "") -> list[tuple[int, str]]:
    def ask(user: Known) -> tuple[int, str]:
        found = auther.sign_in(user.email, password or user.password)
        return found.status, found.code

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(ask, users))


def every(nth: int, users: list[Known]) -> list[Known]:
    """Every nth user of each category, and four of each at least: the long passwords are four."""
    categories: dict[str, list[Known]] = {}
    for user in users:
        categories.setdefault(user.category, []).append(user)
    return [
        user
        for alike in categories.values()
        for user in alike[:: max(1, min(nth, len(alike) // 4))]
    ]


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "nth", [pytest.param(1, id="all 600", marks=pytest.mark.long), pytest.param(80, id="a sample")]
)
def test_they_sign_in_or_are_refused_for_the_listed_reason(
    site: Site, auther: BetterAuth, nth: int
) -> None:
    users = known_users()
    allowed = [user for user in users if user.refusal is None]
    refused = [user for user in users if user.refusal is not None and not is_namesake(user)]
    refused = [user for user in refused if user.password]
    assert (len(allowed), len(users)) == (445, 600)
    allowed, refused = every(nth, allowed), every(nth, refused)

    assert Counter(answers(auther, allowed, password="some other password")) == {
        (401, "INVALID_EMAIL_OR_PASSWORD"): len(allowed)
    }
    wrong = [u for u, a in zip(refused, answers(auther, refused), strict=True) if a != u.refusal]
    assert not wrong

    assert Counter(answers(auther, allowed)) == {(200, ""): len(allowed)}
    rehashed = "SELECT count(*) FROM account WHERE provider_id = 'credential' AND password NOT LIKE 'migrator:%'"
    long_passwords = sum(len(user.password.encode()) >= BCRYPT_BYTES for user in allowed)
    assert site.auther(rehashed) == [(len(allowed) - long_passwords,)]
    assert Counter(answers(auther, allowed)) == {(200, ""): len(allowed)}
    some = allowed[::20]
    assert Counter(answers(auther, some, password="some other password")) == {
        (401, "INVALID_EMAIL_OR_PASSWORD"): len(some)
    }


def test_a_ban_that_ran_out_lets_the_user_in_and_counts_as_no_difference(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch, better_auth: Start
) -> None:
    site = make_site(tmp_path, devise_db, monkeypatch)
    now = datetime.now(UTC)
    soon = (now - timedelta(hours=1) + timedelta(seconds=1)).replace(tzinfo=None)
    site.sql("UPDATE users SET locked_at = %s WHERE id = 1", soon)
    site = replace(site, ctx=replace(site.ctx, clock=ManualClock(now)))
    p1_import.run(site.ctx)
    assert site.auther('SELECT banned FROM "user" WHERE email = ?', "member1@example.org") == [
        (1,)
    ]

    user = next(user for user in known_users() if user.email == "member1@example.org")
    site.ctx.clock.sleep(5)
    # Auther's own clock has to pass the end of the ban.
    time.sleep(max(0.0, (now + timedelta(seconds=2) - datetime.now(UTC)).total_seconds()))
    auther = better_auth(site.auther_db, peppers={PEPPER_ID: PEPPER})
    assert auther.sign_in(user.email, user.password).status == 200
    auther.stop()
    canaries = tmp_path / "canaries.csv"
    with canaries.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows([("email", "password"), (user.email, user.password)])
    canaries.chmod(0o600)
    (proof,) = p1_import.prove(
        site.ctx, canaries, email_column="email", password_column="password"
    )
    assert (proof.answer, proof.detail) == (Answer.SIGNS_IN, "Auther's own hash")
    result = p1_import.verify(site.ctx)
    assert result.holds(), result.shown
    assert {str(kind): count for kind, count in result.allowed.items()} == {
        "ban ended by itself": 1,
        "rehashed at a sign-in": 1,
    }
