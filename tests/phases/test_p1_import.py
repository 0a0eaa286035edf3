"""The import as a whole, on the dump of a real Devise application."""

from __future__ import annotations

import stat
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from migrator.auther.interface import Note
from migrator.core.errors import ConflictError, RefusedError, UsageError
from migrator.core.users import PinReason, RejectReason
from migrator.runner.importing.outcome import summary
from migrator.runner.importing.proof import Answer
from phases import p1_import
from tests.phases.importing import IMPORTED, PEPPER, Site, counts, make_site, oracle, rejects_of

if TYPE_CHECKING:
    from pathlib import Path

REJECTED = {
    RejectReason.EMAIL_COLLISION: 8,
    RejectReason.EMAIL_MISSING: 12,
    RejectReason.UNSUPPORTED_HASH: 15,
}


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    return make_site(tmp_path, devise_db, monkeypatch, identities="public.identities")


def by_category(category: str) -> set[str]:
    return {row["id"] for row in oracle() if row["category"] == category}


def test_all_600_users_have_one_outcome_each(site: Site) -> None:
    outcome = p1_import.run(site.ctx)
    assert counts(outcome) == (600, IMPORTED, 0, Counter(REJECTED))
    notes = outcome.counts.notes
    assert notes.pinned == {PinReason.EMAIL_UNREACHABLE: 17, PinReason.SECOND_FACTOR: 9}
    assert notes.notes == {Note.NO_PASSWORD: 40, Note.HASH_LEFT_BEHIND: 26, Note.TIME_REPLACED: 6}
    assert notes.banned == 30
    assert site.auther('SELECT count(*) FROM "user"') == [(IMPORTED,)]


def test_the_rejects_file_names_row_and_reason_and_hides_the_address(site: Site) -> None:
    p1_import.run(site.ctx)
    found = rejects_of(site)
    expected = {
        **dict.fromkeys(by_category("dup_case_b"), "email_collision"),
        **dict.fromkeys(by_category("null_email") | by_category("blank_email"), "email_missing"),
        **dict.fromkeys(
            by_category("legacy_sha1") | by_category("legacy_md5"), "unsupported_hash"
        ),
    }
    assert found == expected
    assert "dup4" not in site.rejects.read_text(encoding="utf-8").lower()
    assert stat.S_IMODE(site.rejects.stat().st_mode) == 0o600
    assert stat.S_IMODE(site.auther_db.stat().st_mode) == 0o600


def test_hashes_arrive_byte_for_byte(site: Site) -> None:
    p1_import.run(site.ctx)
    stored = dict(
        site.auther(
            'SELECT u.email, a.password FROM account a JOIN "user" u ON u.id = a.user_id'
            " WHERE a.provider_id = 'credential'"
        )
    )
    source = site.sql(
        "SELECT lower(email), encrypted_password FROM users WHERE lower(email) = ANY(%s)"
        " AND email !~ '^Dup'",
        list(stored),
    )
    assert len(source) == len(stored) == IMPORTED - 40 - 26
    for email, value in source:
        assert stored[email] == f"migrator:v1:bcrypt:peppers=2024,none:{value}"


def test_names_survive_whatever_is_in_them(site: Site) -> None:
    hostile = [
        r"\N",
        "tab\tnew\nline\r\\",
        "'; DROP TABLE users; --",
        "\u202e👩‍🚀 Zoë",
        "\x01\x7f",
    ]
    for pk, name in enumerate(hostile, start=1):
        site.sql("UPDATE users SET name = %s WHERE id = %s", name, pk)
    p1_import.run(site.ctx)
    for pk, name in enumerate(hostile, start=1):
        found = site.auther('SELECT name FROM "user" WHERE email = ?', f"member{pk}@example.org")
        assert found == [(name,)]


def test_states_become_what_auther_understands(site: Site) -> None:
    p1_import.run(site.ctx)
    query = 'SELECT email_verified, banned, ban_reason, ban_expires FROM "user" WHERE id = ?'
    rows = dict(site.sql("SELECT user_pk, auther_id FROM migrator_identity"))

    def state(category: str) -> set[tuple[object, ...]]:
        return {site.auther(query, rows[pk])[0][:3] for pk in by_category(category)}

    assert state("plain") == {(1, 0, None)}
    assert state("unconfirmed") == {(0, 0, None)}
    assert state("pending_reconfirmation") == {(1, 0, None)}
    assert state("soft_deleted") == {(1, 1, "migrator: deleted in the legacy system")}
    assert state("lock_expired") == {(1, 0, None)}
    assert state("locked_now") == {(1, 1, "migrator: locked in the legacy system")}
    locked = min(by_category("locked_now"))
    (at,) = site.sql("SELECT extract(epoch FROM locked_at) FROM users WHERE id = %s", int(locked))
    assert site.auther(query, rows[locked])[0][3] == int(at[0] * 1000) + 3_600_000


def test_a_second_factor_and_an_address_auther_refuses_leave_no_password_behind(
    site: Site,
) -> None:
    p1_import.run(site.ctx)
    pinned = site.sql(
        "SELECT auther_id, pinned_reason, legacy_hash_fp FROM migrator_identity"
        " WHERE pinned_reason IS NOT NULL"
    )
    assert Counter(reason for _, reason, _ in pinned) == {
        "email_unreachable": 17,
        "second_factor": 9,
    }
    assert all(len(fingerprint) == 64 for _, _, fingerprint in pinned)
    for user_id, _, _ in pinned:
        assert site.auther("SELECT * FROM account WHERE user_id = ?", user_id) == []


def test_identities_become_provider_accounts(site: Site) -> None:
    p1_import.run(site.ctx)
    rows = site.sql(
        "SELECT CASE i.provider WHEN 'google_oauth2' THEN 'google' ELSE i.provider END,"
        " i.uid, m.auther_id FROM identities i"
        " JOIN migrator_identity m ON m.user_pk = i.user_id::text"
    )
    query = (
        "SELECT provider_id, account_id, user_id FROM account WHERE provider_id <> 'credential'"
    )
    assert sorted(site.auther(query)) == sorted(rows)
    assert len(rows) == 48
    assert {provider for provider, _, _ in rows} == {"github", "google", "facebook"}


def test_a_second_run_finds_everybody_there_and_changes_nothing(site: Site) -> None:
    p1_import.run(site.ctx)
    before = site.content()
    again = p1_import.run(site.ctx)
    assert counts(again) == (600, 0, IMPORTED, Counter(REJECTED))
    assert site.content() == before


def test_the_plan_says_what_the_run_does_and_writes_nothing(site: Site) -> None:
    planned = summary(p1_import.plan(site.ctx))
    assert not site.auther_db.exists()
    assert site.sql("SELECT to_regclass('migrator_identity')") == [(None,)]
    done = summary(p1_import.run(site.ctx))
    assert {**planned, "planned": False} == done


def test_rejects_hold_until_exactly_these_are_accepted(site: Site) -> None:
    assert not p1_import.run(site.ctx).accepted
    assert "not accepted" in p1_import.standing(site.ctx).held[0]
    assert p1_import.run(site.ctx, accept_rejects=True).accepted
    assert p1_import.run(site.ctx).accepted
    site.sql("UPDATE users SET created_at = 'infinity' WHERE id = 600")
    assert p1_import.run(site.ctx).accepted, "user 600 is at Auther already and stays"
    site.sql("UPDATE users SET email = ' ' WHERE id = %s", int(min(by_category("legacy_md5"))))
    assert not p1_import.run(site.ctx).accepted, "somebody is rejected for another reason now"


def test_nothing_can_be_accepted_before_it_was_listed(site: Site) -> None:
    with pytest.raises(UsageError, match="no run has listed rejects"):
        p1_import.run(site.ctx, accept_rejects=True)


def test_no_secret_and_no_address_gets_into_the_state(site: Site) -> None:
    p1_import.run(site.ctx)
    p1_import.verify(site.ctx)
    kept = "\n".join(str(entry) for entry in site.ctx.state.ledger.entries())
    assert "@" not in kept
    assert "$2a$" not in kept
    assert PEPPER not in kept
    assert "k" * 40 not in kept


def test_verify_finds_every_field_that_was_changed(site: Site) -> None:
    p1_import.run(site.ctx)
    assert p1_import.verify(site.ctx).holds()
    ids = [row[0] for row in site.auther('SELECT id FROM "user" ORDER BY id LIMIT 12')]
    columns = [row[1] for row in site.auther("PRAGMA table_info('user')")][1:]
    for user_id, column in zip(ids, columns, strict=True):
        value = f"{user_id}" if column != "banned" else 7
        site.auther(f'UPDATE "user" SET "{column}" = ? WHERE id = ?', value, user_id)
    result = p1_import.verify(site.ctx)
    assert result.by_kind == {f"user.{column}": 1 for column in columns}
    assert (result.differing, result.equal) == (12, IMPORTED - 12)
    assert not any("@" in d.detail and "…" not in d.detail for d in result.shown)


def test_verify_finds_what_is_missing_extra_and_orphaned(site: Site) -> None:
    p1_import.run(site.ctx)
    ids = dict(site.sql("SELECT user_pk, auther_id FROM migrator_identity"))
    site.auther('DELETE FROM "user" WHERE id = ?', ids["1"])
    site.auther("DELETE FROM account WHERE user_id = ?", ids["2"])
    site.auther(
        "INSERT INTO account (id, account_id, provider_id, user_id, created_at, updated_at)"
        " VALUES ('x', 'x', 'github', ?, 1, 1)",
        ids["3"],
    )
    site.auther("UPDATE account SET password = 'cut' WHERE user_id = ?", ids["4"])
    site.sql("UPDATE migrator_identity SET legacy_hash_fp = 'other' WHERE user_pk = '5'")
    site.sql(
        "INSERT INTO migrator_identity (source, user_pk, auther_id) VALUES ('User', '0', '0')"
    )
    site.sql("DELETE FROM migrator_identity WHERE user_pk = '7'")
    result = p1_import.verify(site.ctx)
    assert result.by_kind == {
        "missing": 1,
        "account missing": 1,
        "account extra": 1,
        "account.password": 1,
        "migrator_identity.legacy_hash_fp": 1,
        "orphan": 1,
        "unclaimed": 1,
    }
    assert not result.holds()


def test_users_of_others_are_never_touched(site: Site) -> None:
    p1_import.run(site.ctx)
    foreign = dict(site.sql("SELECT user_pk, auther_id FROM migrator_identity"))["1"]
    p1_import.rollback(site.ctx)
    insert = 'INSERT INTO "user" (id, name, email, created_at, updated_at) VALUES (?, ?, ?, 1, 1)'
    site.auther(insert, "somebody", "Somebody", "member2@example.org")
    site.auther(insert, foreign, "Same id", "other@example.org")
    before = site.auther('SELECT * FROM "user" ORDER BY id')
    outcome = p1_import.run(site.ctx)
    assert outcome.counts.tally.rejected[RejectReason.TARGET_TAKEN] == 2
    assert rejects_of(site)["1"] == rejects_of(site)["2"] == "target_taken"
    kept = 'SELECT * FROM "user" WHERE name IN (?, ?) ORDER BY id'
    assert site.auther(kept, "Somebody", "Same id") == before
    assert p1_import.verify(site.ctx).holds()
    p1_import.rollback(site.ctx)
    assert site.auther('SELECT * FROM "user" ORDER BY id') == before


def test_rollback_leaves_nothing_of_the_import(site: Site) -> None:
    p1_import.run(site.ctx)
    first = site.content()
    done = p1_import.rollback(site.ctx)
    assert (done.removed, done.kept) == (IMPORTED, 0)
    assert site.auther('SELECT * FROM "user"') == site.auther("SELECT * FROM account") == []
    assert site.sql("SELECT to_regclass('migrator_identity')") == [(None,)]
    assert p1_import.standing(site.ctx).state == "not begun"
    p1_import.run(site.ctx)
    assert site.content() == first, "the same users get the same ids again"


@pytest.mark.parametrize(
    ("sign", "statement"),
    [
        (
            "session",
            (
                "INSERT INTO session (id, expires_at, token, created_at, updated_at, user_id)"
                " VALUES ('s', 1, 't', 1, 1, ?)"
            ),
        ),
        (
            "password changed or renewed",
            "UPDATE account SET password = 'salt:key' WHERE user_id = ?",
        ),
        (
            "account added at github",
            (
                "INSERT INTO account (id, account_id, provider_id, user_id, created_at, updated_at)"
                " VALUES ('g', 'g', 'github', ?, 1, 1)"
            ),
        ),
        (
            "oauth_consent",
            "INSERT INTO oauth_consent (id, user_id) VALUES ('c', ?)",
        ),
        ("role admin", "UPDATE user SET role = 'admin' WHERE id = ?"),
    ],
)
def test_rollback_refuses_when_somebody_used_auther_since(
    site: Site, sign: str, statement: str
) -> None:
    p1_import.run(site.ctx)
    user_id = dict(site.sql("SELECT user_pk, auther_id FROM migrator_identity"))["1"]
    site.auther(statement, user_id)
    with pytest.raises(RefusedError, match=f"user 1: {sign}"):
        p1_import.rollback(site.ctx)
    assert site.auther('SELECT count(*) FROM "user"') == [(IMPORTED,)]
    done = p1_import.rollback(site.ctx, except_signed_in=True)
    assert (done.removed, done.kept) == (IMPORTED - 1, 1)
    assert site.auther('SELECT id FROM "user"') == [(user_id,)]
    assert site.sql("SELECT user_pk FROM migrator_identity") == [("1",)]


def test_a_choice_that_shapes_rows_cannot_change_silently(
    site: Site, devise_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    p1_import.run(site.ctx)
    changed = make_site(
        tmp_path, devise_db, monkeypatch, identities="public.identities", verified_when='"always"'
    )
    with pytest.raises(ConflictError, match=r"import\.verified_when was 'confirmed'"):
        p1_import.run(changed.ctx)
    monkeypatch.setenv("MIGRATION_KEY", "j" * 40)
    with pytest.raises(ConflictError, match=r"migration\.key"):
        p1_import.run(site.ctx)


def test_locks_are_judged_at_the_time_of_the_first_run(site: Site) -> None:
    p1_import.run(site.ctx)
    before = site.content()
    site.ctx.clock.sleep(86_400)
    site.auther('DELETE FROM "user"')
    p1_import.run(site.ctx)
    assert site.content() == before


def test_a_second_runner_is_turned_away(site: Site) -> None:
    with (
        site.ctx.state.locks.held("import"),
        pytest.raises(ConflictError, match="is working on the import"),
    ):
        p1_import.run(site.ctx)


def test_known_passwords_are_proven(site: Site, tmp_path: Path) -> None:
    p1_import.run(site.ctx)
    file = tmp_path / "canaries.csv"
    rows = ["email,password"]
    wanted = {
        "plain": Answer.SIGNS_IN,
        "no_pepper": Answer.SIGNS_IN,
        "prefix_2y": Answer.SIGNS_IN,
        "pw_over_72_bytes": Answer.SIGNS_IN,
        "locked_now": Answer.BANNED,
        "unconfirmed": Answer.UNVERIFIED,
        "totp": Answer.PINNED,
        "unicode_email": Answer.PINNED,
        "omniauth_only": Answer.NO_CREDENTIAL,
        "legacy_md5": Answer.NOT_THERE,
    }
    users = {row["category"]: row for row in oracle()}
    for category in wanted:
        user = users[category]
        rows.append(f'{user["email"].upper()},"{user["plaintext_password"] or "x"}"')
    rows.append("member1@example.org,wrong")
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    file.chmod(0o600)
    proofs = p1_import.prove(site.ctx, file, email_column="email", password_column="password")
    assert [proof.answer for proof in proofs] == [*wanted.values(), Answer.WRONG_PASSWORD]
    assert proofs[1].detail == "bcrypt, pepper none"
