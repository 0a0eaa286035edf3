"""The sync as a whole: what changes in the application changes at Auther, and nothing else does."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from migrator.core.clock import parse_iso
from migrator.core.errors import UsageError
from migrator.legacy import changes
from migrator.runner.syncing.brake import Brake, Harm
from migrator.runner.syncing.ends import RuleBook, open_sync_ends
from migrator.runner.syncing.examine import Examiner
from migrator.runner.syncing.standing import Standing
from phases import p1_import
from tests.phases.importing import Site, make_site
from tests.phases.syncing import (
    NATIVE,
    OTHER_HASH,
    auther_id,
    fingerprint,
    loosen_brakes,
    password,
    quarantined,
    rehash,
    stored,
    sync,
    touch,
    vanish,
)

if TYPE_CHECKING:
    from pathlib import Path

GONE = "migrator: gone from the legacy system"


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = make_site(tmp_path, devise_db, monkeypatch, identities="public.identities")
    p1_import.run(made.ctx)
    return loosen_brakes(made)


def test_right_after_an_import_nothing_is_left_to_do(site: Site) -> None:
    before, entries = site.content(), len(site.ctx.state.ledger.entries())
    for full in (False, True):
        report = sync(site, full=full)
        assert (report.full, report.waiting, report.lag.rows) == (full, 0, 0)
        assert report.holds, quarantined(site)
    assert site.content() == before
    assert len(site.ctx.state.ledger.entries()) == entries, "an empty pass is no event"


def test_whatever_changes_in_a_row_is_followed_and_the_comparison_agrees(site: Site) -> None:
    touch(site, 1, name="Another Name", email="Moved@Example.org ")
    touch(site, 2, encrypted_password=OTHER_HASH)
    touch(site, 3, confirmed_at=None)
    touch(site, 4, deleted_at=site.ctx.clock.now())
    touch(site, 5, otp_required_for_login=True)
    site.sql(
        "INSERT INTO identities (user_id, provider, uid, created_at, updated_at)"
        " VALUES (6, 'google_oauth2', 'g-6', now(), now())"
    )
    touch(site, 6)
    touch(site, 7)

    report = sync(site)

    assert report.wrote["changed"] == 7
    assert (report.wrote["passwords"], report.wrote["banned"]) == (2, 1)
    assert stored(site, 1, "name, email") == ("Another Name", "moved@example.org")
    assert password(site, 2) == f"migrator:v1:bcrypt:peppers=2024,none:{OTHER_HASH}"
    assert fingerprint(site, 2) == sha256(OTHER_HASH.encode()).hexdigest()
    assert stored(site, 3, "email_verified") == (0,)
    assert stored(site, 4, "banned, ban_expires") == (1, None)
    assert password(site, 5) is None, "a second factor that Auther cannot ask for"
    owner = "SELECT user_id FROM account WHERE provider_id = 'google' AND account_id = 'g-6'"
    assert site.auther(owner) == [(auther_id(site, 6),)]
    assert p1_import.verify(site.ctx).holds()
    assert sync(site).waiting == 0


def test_users_with_nothing_special_about_them_are_judged_as_each_of_them_alone_would_be(
    site: Site,
) -> None:
    with open_sync_ends(site.ctx, writing=False) as ends:
        pks = [pk for pk, *_ in site.sql("SELECT id::text FROM users ORDER BY users.id")]
        ordinary = ends.legacy.source.parted(pks)[0].pks
        named, rekeyed, moved, away, privileged, unsettled, gone = ordinary[:7]
        site.sql("UPDATE users SET name = 'New' WHERE id = %s", int(named))
        site.sql(
            "UPDATE users SET encrypted_password = %s WHERE id = %s", OTHER_HASH, int(rekeyed)
        )
        site.sql("UPDATE users SET email = 'else@example.org' WHERE id = %s", int(moved))
        site.sql("UPDATE migrator_identity SET home = 'auther' WHERE user_pk = %s", away)
        site.auther(
            "UPDATE \"user\" SET role = 'admin' WHERE id = ?", auther_id(site, int(privileged))
        )
        site.auther('DELETE FROM "user" WHERE id = ?', auther_id(site, int(gone)))
        examiner = Examiner(ends.target, RuleBook(site.ctx, ends, for_all=False), now_ms=0)
        examiner.unsettled = frozenset({auther_id(site, int(unsettled))})
        source, records = ends.legacy.source, ends.followed.records(pks)
        found, left = examiner.plain(source.parted(pks)[0], records)
        judged = set(ordinary).difference(left)
        alone = examiner.users([user for user in source.users(pks) if user.pk in judged], records)
    assert found == alone
    assert sorted(step.pk for step in found.steps) == sorted([named, rekeyed])
    assert found.left == 1
    assert sorted(left) == sorted([moved, privileged, unsettled, gone])


def test_changed_users_are_read_in_key_order_each_of_them_once_however_few_at_a_time(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "_AT_ONCE", 7)
    (since,) = site.sql("SELECT clock_timestamp()")[0]
    site.sql("UPDATE users SET updated_at = clock_timestamp() AT TIME ZONE 'UTC' WHERE id % 3 = 0")
    site.sql(
        "INSERT INTO identities (user_id, provider, uid, created_at, updated_at)"
        " VALUES (4, 'google', 'g-4', now(), clock_timestamp() AT TIME ZONE 'UTC')"
    )
    changed = "SELECT id::text FROM users WHERE id = 4 OR updated_at >= %s AT TIME ZONE 'UTC'"
    keys = [pk for (pk,) in site.sql(f"{changed} ORDER BY users.id", since)]
    with open_sync_ends(site.ctx, writing=False) as ends:
        pages = [
            [*plain.pks, *(user.pk for user in users)]
            for plain, users in ends.changes.parted(since, rows=3)
        ]
        everybody = ends.followed.count()
        counts = [ends.followed.count(at_most=most) for most in (5, everybody, everybody + 9)]
    assert len(keys) > 7
    looks = [keys[at : at + 7] for at in range(0, len(keys), 7)]
    assert [sorted(page, key=int) for page in pages] == [
        look[at : at + 3] for look in looks for at in range(0, len(look), 3)
    ]
    assert counts == [5, everybody, everybody]


def test_where_the_database_keeps_addresses_apart_changes_are_followed_as_elsewhere(
    site: Site,
) -> None:
    with open_sync_ends(site.ctx, writing=False) as ends:
        assert not ends.legacy.source.has_unique_emails()
    site.sql("UPDATE users SET email = 'nobody' || id || '@example.org' WHERE email = ''")
    site.sql("CREATE UNIQUE INDEX one_each ON users (email)")
    with open_sync_ends(site.ctx, writing=False) as ends:
        assert ends.legacy.source.has_unique_emails()
    touch(site, 1, email="new-1@example.org")
    touch(site, 2, name="Two")
    assert sync(site).wrote["changed"] == 2
    assert (stored(site, 1, "email"), stored(site, 2, "name")) == (
        ("new-1@example.org",),
        ("Two",),
    )


def test_new_users_are_imported_and_those_who_cannot_be_are_listed(site: Site) -> None:
    new = "INSERT INTO users (id, email, encrypted_password, confirmed_at, created_at, updated_at) VALUES (%s, %s, %s, now(), now(), now())"
    site.sql(new, 9001, "new@example.org", OTHER_HASH)
    site.sql(new, 9002, "bad-hash@example.org", "*")
    report = sync(site)
    assert (report.wrote["imported"], report.holds) == (1, False)
    assert stored(site, 9001, "email") == ("new@example.org",)
    assert quarantined(site) == {"9002": "unsupported_hash"}
    assert (site.root / ".migrator" / "sync-rejects.jsonl").stat().st_mode & 0o777 == 0o600

    touch(site, 9002, encrypted_password=OTHER_HASH)
    assert sync(site).holds
    assert quarantined(site) == {}
    assert p1_import.verify(site.ctx).holds()


def test_a_password_that_only_auther_hashed_anew_stays(site: Site) -> None:
    rehash(site, 1)
    touch(site, 1, name="Signed in on both sides")
    for full in (False, True):
        sync(site, full=full)
        assert password(site, 1) == NATIVE
    assert p1_import.verify(site.ctx).holds()


def test_a_password_changed_in_the_application_replaces_even_one_that_auther_hashed_anew(
    site: Site,
) -> None:
    rehash(site, 1)
    touch(site, 1, encrypted_password=OTHER_HASH)
    assert sync(site).wrote["passwords"] == 1
    assert (password(site, 1) or "").endswith(OTHER_HASH)


def test_a_password_that_became_unusable_does_not_live_on_at_auther(site: Site) -> None:
    rehash(site, 1)
    touch(site, 1, encrypted_password="!locked by an administrator")
    touch(site, 2, encrypted_password="")
    report = sync(site)
    assert report.wrote["passwords"] == 2
    assert (password(site, 1), password(site, 2)) == (None, None)
    assert quarantined(site) == {"1": "unsupported_hash"}


def test_who_moved_to_auther_or_was_linked_at_a_login_is_never_touched(site: Site) -> None:
    site.sql("UPDATE migrator_identity SET home = 'auther' WHERE user_pk = '1'")
    site.sql("UPDATE migrator_identity SET origin = 'jit' WHERE user_pk = '2'")
    site.sql("UPDATE migrator_identity SET home = 'auther' WHERE user_pk = '3'")
    for pk in (1, 2):
        touch(
            site, pk, name="Else", encrypted_password=OTHER_HASH, deleted_at=site.ctx.clock.now()
        )
    vanish(site, 3)
    before = site.content()
    for full in (False, True):
        assert sync(site, full=full).waiting == 0
    assert site.content() == before


def test_who_moves_to_auther_while_the_brakes_are_asked_is_left_alone(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    check, before = Brake.check, stored(site, 1, "name")

    def moving(brake: Brake, harm: Harm, **asked: Any) -> None:
        site.sql("UPDATE migrator_identity SET home = 'auther' WHERE user_pk = '1'")
        check(brake, harm, **asked)

    monkeypatch.setattr(Brake, "check", moving)
    touch(site, 1, name="Too late")
    touch(site, 2, name="In time")
    assert sync(site).wrote["changed"] == 1
    assert (stored(site, 1, "name"), stored(site, 2, "name")) == (before, ("In time",))


def test_what_moves_no_updated_at_is_found_by_the_sweep(site: Site) -> None:
    site.sql("UPDATE users SET encrypted_password = %s WHERE id = 1", OTHER_HASH)
    vanish(site, 2)
    assert sync(site).waiting == 0
    report = sync(site, full=True)
    assert (report.wrote["passwords"], report.wrote["banned"]) == (1, 1)
    assert (password(site, 1) or "").endswith(OTHER_HASH)
    assert stored(site, 2, "banned, ban_reason, ban_expires") == (1, GONE, None)
    assert p1_import.verify(site.ctx).holds()
    assert sync(site, full=True).waiting == 0


def test_with_deletes_only_who_never_used_auther_is_deleted(site: Site) -> None:
    site = loosen_brakes(site, deletes="delete")
    ids = {pk: auther_id(site, pk) for pk in (1, 2, 3)}
    rehash(site, 2)
    site.auther(
        "INSERT INTO session (id, expires_at, token, created_at, updated_at, user_id)"
        " VALUES ('s', 1, 't', 1, 1, ?)",
        ids[3],
    )
    vanish(site, 1, 2, 3)
    report = sync(site, full=True)
    assert (report.wrote["deleted"], report.wrote["banned"]) == (1, 2)
    assert site.auther('SELECT count(*) FROM "user" WHERE id = ?', ids[1]) == [(0,)]
    assert site.sql("SELECT user_pk FROM migrator_identity WHERE user_pk = '1'") == []
    assert (
        stored(site, 2, "banned, ban_reason") == stored(site, 3, "banned, ban_reason") == (1, GONE)
    )


def test_an_address_that_auther_has_is_quarantined_tried_again_and_never_overwritten(
    site: Site,
) -> None:
    site.auther(
        'INSERT INTO "user" (id, name, email, created_at, updated_at) VALUES (?, ?, ?, 1, 1)',
        "somebody",
        "Somebody",
        "wanted@example.org",
    )
    touch(site, 1, email="wanted@example.org", encrypted_password=OTHER_HASH)
    assert not sync(site).holds
    assert quarantined(site) == {"1": "target_taken"}
    assert stored(site, 1, "email") == ("member1@example.org",)
    assert (password(site, 1) or "").endswith(OTHER_HASH), "the rest is followed"

    move_clock(site)
    assert not sync(site).holds
    site.auther('DELETE FROM "user" WHERE id = ?', "somebody")
    assert sync(site).holds
    assert stored(site, 1, "email") == ("wanted@example.org",)
    assert quarantined(site) == {}


def move_clock(site: Site) -> None:
    """Let the watermark pass every change that was made so far."""
    standing = Standing(site.ctx)
    (now,) = site.sql("SELECT clock_timestamp()")[0]
    standing.move_watermark(now)


def test_addresses_handed_on_within_one_pass_reach_everybody(site: Site) -> None:
    touch(site, 2, email="away@example.org")
    touch(site, 1, email="member2@example.org")
    assert sync(site).holds
    assert stored(site, 1, "email") == ("member2@example.org",)
    assert stored(site, 2, "email") == ("away@example.org",)


def test_bans_of_auther_itself_and_administrators_are_left_alone(site: Site) -> None:
    ban = 'UPDATE "user" SET banned = 1, ban_reason = ?, ban_expires = ? WHERE id = ?'
    site.auther(ban, "abuse", None, auther_id(site, 1))
    site.auther('UPDATE "user" SET role = ? WHERE id = ?', "admin", auther_id(site, 2))
    touch(site, 1, name="New")
    touch(site, 2, name="New", deleted_at=site.ctx.clock.now())
    sync(site)
    assert stored(site, 1, "name, banned, ban_reason") == ("New", 1, "abuse")
    assert stored(site, 2, "banned, role") == (0, "admin")
    assert quarantined(site) == {"2": "privileged_at_auther"}


def test_a_transaction_that_is_open_holds_the_watermark_back(site: Site) -> None:
    with psycopg.connect(site.dsn) as slow:
        slow.execute(
            "UPDATE users SET name = 'Late', updated_at = now() at time zone 'utc' WHERE id = 1"
        )
        site.sql("SELECT pg_sleep(0.2)")
        report = sync(loosen_brakes(site, clock_margin=site.ctx.config.sync.clock_margin * 0))
        assert report.lag.seconds >= 0.2
        begun = slow.execute("SELECT now()").fetchone()
        assert begun is not None
        assert Standing(site.ctx).watermark == begun[0]
    assert sync(site).wrote["changed"] == 1
    assert stored(site, 1, "name") == ("Late",)
    assert sync(site).lag.seconds == 0


def test_a_role_that_cannot_see_others_sessions_reads_further_back_and_says_so(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.sql("CREATE ROLE sync_only LOGIN PASSWORD 'only here'")
    site.sql("GRANT SELECT ON users, identities TO sync_only")
    site.sql("GRANT SELECT, INSERT, UPDATE, DELETE ON migrator_identity TO sync_only")
    try:
        before = Standing(site.ctx).watermark
        made = make_conninfo(site.dsn, user="sync_only", password="only here")
        monkeypatch.setenv("LEGACY_DATABASE_URL", made)
        with psycopg.connect(site.dsn):
            report = sync(site)
        assert report.unseen >= 1
        assert report.lag.seconds >= site.ctx.config.sync.unseen_for.total_seconds()
        assert Standing(site.ctx).watermark == before
    finally:
        site.sql("DROP OWNED BY sync_only")
        site.sql("DROP ROLE sync_only")


def test_a_dry_run_says_what_it_would_do_and_does_nothing(site: Site) -> None:
    touch(site, 1, encrypted_password=OTHER_HASH)
    before, mark = site.content(), Standing(site.ctx).watermark
    report = sync(site, dry_run=True)
    assert report.would == {"import": 0, "change": 1, "password": 1}
    assert site.content() == before
    assert (Standing(site.ctx).watermark, Standing(site.ctx).lag) == (mark, None)


def test_before_an_import_there_is_nothing_to_follow(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="nothing was imported yet"):
        sync(make_site(tmp_path, devise_db, monkeypatch))


def test_after_a_rollback_the_next_import_begins_anew(site: Site) -> None:
    sync(site)
    p1_import.rollback(site.ctx)
    assert Standing(site.ctx).watermark is None
    assert Standing(site.ctx).lag is None


def test_the_lag_is_dated_by_our_clock(site: Site) -> None:
    assert parse_iso(sync(site).lag.at) == site.ctx.clock.now()
