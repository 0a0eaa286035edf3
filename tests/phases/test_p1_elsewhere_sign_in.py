"""People whose rows are in MariaDB or SQLite sign in there with Devise, and at Auther after the import."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from migrator.core.clock import ManualClock
from migrator.core.users import RejectReason
from migrator.runner.canaries import Canary
from migrator.runner.importing.proof import Answer
from phases import p0_preflight, p1_import
from tests.parts import require
from tests.parts.better_auth import BetterAuth
from tests.parts.devise import ask_devise
from tests.phases import preflight_site
from tests.phases.importing import PEPPER, PEPPER_ID, make_site
from tests.phases.syncing import OTHER_HASH, loosen_brakes, sync, touch
from tests.phases.test_p1_resolutions import decide
from tests.phases.test_p1_sign_in import Known, answers, known_users

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

Start = Callable[..., BetterAuth]
# One hash in the column, of a word that somebody set a moment ago.
NEW_WORD = "set a moment ago"
# What Devise itself answers to the right password.
ACTIVE = ("plain", "mixed_case_in_db", "plus_addressed", "prefix_2b", "prefix_2y", "lock_expired")


def some(users: list[Known], *categories: str) -> list[Known]:
    """A few of each category."""
    return [
        user
        for category in categories
        for user in [user for user in users if user.category == category][:3]
    ]


def test_whoever_signs_in_with_devise_signs_in_at_auther(
    tmp_path: Path, elsewhere_db: str, monkeypatch: pytest.MonkeyPatch, better_auth: Start
) -> None:
    require("rails_elsewhere")
    site = make_site(tmp_path / "operator", elsewhere_db, monkeypatch, identities="identities")
    site = replace(site, ctx=replace(site.ctx, clock=ManualClock(datetime.now(UTC))))
    active = some(known_users(), *ACTIVE)
    refused = some(known_users(), "unconfirmed", "soft_deleted", "totp", "legacy_md5")
    # Rows in capitals: Devise finds none of them, and Auther does after the import.
    found = [user for user in active if user.category != "mixed_case_in_db"]
    asked = [(user.email, user.password) for user in found]
    assert set(ask_devise(elsewhere_db, asked, pepper=PEPPER)) == {"signs in"}

    p1_import.run(site.ctx)
    canaries = tmp_path / "canaries.csv"
    with canaries.open("w", encoding="utf-8", newline="") as lines:
        rows = [(user.email, user.password) for user in active]
        csv.writer(lines).writerows([("email", "password"), *rows])
    canaries.chmod(0o600)
    names = {"email_column": "email", "password_column": "password"}
    assert {proof.answer for proof in p1_import.prove(site.ctx, canaries, **names)} == {
        Answer.SIGNS_IN
    }
    touch(site, int(site.sql("SELECT min(id) FROM users")[0][0]), encrypted_password=OTHER_HASH)
    assert sync(loosen_brakes(site)).wrote["passwords"] == 1

    auther = better_auth(site.auther_db, peppers={PEPPER_ID: PEPPER})
    changed, *others = active
    assert answers(auther, others) == [(200, "")] * len(others)
    assert (
        answers(auther, others[:2], password="another") == [(401, "INVALID_EMAIL_OR_PASSWORD")] * 2
    )
    assert answers(auther, [changed]) == [(401, "INVALID_EMAIL_OR_PASSWORD")], "its new one counts"
    assert answers(auther, refused) == [user.refusal for user in refused]
    auther.stop()
    result = p1_import.verify(site.ctx)
    assert result.holds(), result.shown


def test_preflight_says_the_same_as_on_postgresql_and_that_more_is_to_be_done_by_hand(
    tmp_path: Path, elsewhere_db: str
) -> None:
    site = preflight_site.make_site(tmp_path, elsewhere_db)
    member = Canary("member2@example.org", "correct horse battery 2")
    found = p0_preflight.run(site.context(), canaries=(member,))
    assert found.verdict.ready
    (canary,) = found.findings.canaries
    assert canary.pepper == PEPPER_ID
    states = found.findings.legacy.states
    assert (states.users, states.active, states.locked_now, states.lock_expired) == (
        600,
        546,
        12,
        9,
    )
    assert (states.second_factor, states.soft_deleted, states.without_password) == (9, 18, 40)
    keys = [(key.table, key.columns, key.indexed) for key in found.findings.legacy.foreign_keys]
    assert keys == [("identities", ("user_id",), True), ("posts", ("user_id",), True)]
    loose = [
        (one.table, one.column, one.polymorphic) for one in found.findings.legacy.loose_references
    ]
    assert loose == [("notifications", "recipient_id", True), ("notifications", "user_id", False)]
    codes = [reason.code for reason in found.verdict.warnings]
    assert codes[0] == "not_postgresql"
    assert {"rejects", "unclaimed_hashes", "email_shared", "second_factor"} <= set(codes)
    assert not {"activity_unseen", "old_server", "not_owner"} & set(codes)
    wrong = p0_preflight.run(
        preflight_site.make_site(tmp_path, elsewhere_db, pepper="not the pepper").context(),
        canaries=(member,),
    )
    assert [reason.code for reason in wrong.verdict.blockers] == ["canary_failed"]


def test_what_a_person_decides_about_rejects_is_obeyed(
    tmp_path: Path, elsewhere_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path / "operator", elsewhere_db, monkeypatch)
    found = p1_import.resolve(site.ctx, write=True)
    assert len(found.rejects) == 35
    pk = next(reject.pk for reject in found.rejects if str(reject.reason) == "email_missing")
    decide(site, **{f"_{pk}": 'email_missing email email = "member1@example.org"'})
    rejected = p1_import.plan(site.ctx).counts.tally.rejected
    assert rejected[RejectReason.EMAIL_COLLISION] == 9, "somebody else has that address"
    decide(site, **{f"_{pk}": 'email_missing email email = "given@example.org"'})
    p1_import.run(site.ctx)
    query = 'SELECT count(*) FROM "user" WHERE email = ?'
    assert site.auther(query, "given@example.org") == [(1,)]
    assert p1_import.verify(site.ctx).holds()
