"""What the dump's people bring beside passwords: user names, roles, locks, deletions."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from migrator.auther.interface import Note
from migrator.core.users import RejectReason
from phases import p1_import
from tests.phases.importing import Site, make_site, oracle

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

USERNAME = 'username = "username"'


def of(category: str) -> list[str]:
    return [row["id"] for row in oracle() if row["category"] == category]


def banned(site: Site, category: str) -> Counter[object]:
    """Count bans of a category by whether they end."""
    ids = dict(site.sql("SELECT user_pk, auther_id FROM migrator_identity"))
    query = 'SELECT ban_expires IS NOT NULL FROM "user" WHERE id = ? AND banned'
    found = [site.auther(query, ids[pk]) for pk in of(category) if pk in ids]
    return Counter(bool(rows[0][0]) if rows else "not banned" for rows in found)


def test_user_names_are_unique_on_both_sides_and_nobody_is_lost_over_one(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path, devise_db, monkeypatch, columns=USERNAME)
    site.sql("UPDATE users SET username = 'USER_7' WHERE id = 8")
    site.sql("UPDATE users SET username = 'u-9' WHERE id = 9")
    p1_import.run(site.ctx)
    p1_import.rollback(site.ctx)
    site.auther(
        'INSERT INTO "user" (id, name, email, username, created_at, updated_at)'
        " VALUES ('theirs', 'T', 't@elsewhere.org', 'user_10', 1, 1)"
    )
    name_of = dict(site.sql("SELECT id::text, username FROM users"))
    outcome = p1_import.run(site.ctx)
    ids = dict(site.sql("SELECT auther_id, user_pk FROM migrator_identity"))
    stored = {
        ids[i]: (name, shown)
        for i, name, shown in site.auther('SELECT id, username, display_username FROM "user"')
        if i in ids
    }
    without = {pk for pk, (name, _) in stored.items() if name is None and name_of[pk]}
    same = {pk for pk in stored if name_of[pk] in {"user_7", "USER_7", "u-9", "user_10"}}
    assert same <= without
    assert len(same) == 4
    assert outcome.counts.notes.notes[Note.USERNAME_DROPPED] == len(without)
    for pk, (name, shown) in stored.items():
        if name is not None:
            assert (name, shown) == (name_of[pk].lower(), name_of[pk])
    assert p1_import.verify(site.ctx).holds()


def test_locks_for_ever_and_deletions_as_they_are_configured(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"unlock_in": '"never"', "soft_deleted": '"reject"'}
    site = make_site(tmp_path, devise_db, monkeypatch, **settings)
    outcome = p1_import.run(site.ctx)
    assert banned(site, "locked_now") == {False: len(of("locked_now"))}
    assert banned(site, "lock_expired") == {False: len(of("lock_expired"))}
    assert outcome.counts.tally.rejected[RejectReason.SOFT_DELETED] == len(of("soft_deleted"))
    assert p1_import.verify(site.ctx).holds()


def test_a_lock_with_an_end_bans_only_as_long(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path, devise_db, monkeypatch)
    p1_import.run(site.ctx)
    assert banned(site, "locked_now") == {True: len(of("locked_now"))}
    assert banned(site, "lock_expired") == {"not banned": len(of("lock_expired"))}
    assert banned(site, "soft_deleted") == {False: len(of("soft_deleted"))}


def test_a_pending_change_of_address_leaves_the_confirmed_one(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path, devise_db, monkeypatch)
    p1_import.run(site.ctx)
    pending = dict(
        site.sql(
            "SELECT m.auther_id, lower(u.email) FROM users u JOIN migrator_identity m"
            " ON m.user_pk = u.id::text WHERE u.unconfirmed_email <> ''"
            " AND u.confirmed_at IS NOT NULL"
        )
    )
    assert pending
    for user_id, email in pending.items():
        query = 'SELECT email, email_verified FROM "user" WHERE id = ?'
        assert site.auther(query, user_id) == [(email, 1)]
    assert not site.sql(
        "SELECT 1 FROM users WHERE unconfirmed_email = ANY(%s)", list(pending.values())
    )
