"""Phase 1 when something goes wrong: kills, lost servers, wrong tables."""

from __future__ import annotations

import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from migrator.core.errors import DependencyError, RefusedError, UsageError
from phases import p1_import
from tests.faults.trial import Attempt
from tests.phases.importing import IMPORTED, NOW, Site, counts, make_site, rejects_of

KILLS = 6
SEED = 20261123


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    return make_site(tmp_path, devise_db, monkeypatch, identities="public.identities")


@pytest.mark.parametrize("processes", ["1", "2"])
def test_killed_at_random_points_it_ends_row_for_row_like_an_uninterrupted_run(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch, processes: str
) -> None:
    settings = {"identities": "public.identities", "page_rows": "3", "processes": processes}
    quiet = make_site(tmp_path / "quiet", devise_db, monkeypatch, **settings)
    p1_import.run(quiet.ctx)
    wanted, rejected = quiet.content(), rejects_of(quiet)
    p1_import.rollback(quiet.ctx)

    site = make_site(tmp_path / "killed", devise_db, monkeypatch, **settings)
    moments = sorted(random.Random(SEED).sample(range(1, IMPORTED), KILLS))
    positions = [kill_at(site, users) for users in moments]
    assert any(0 < users < IMPORTED for users in positions), positions
    assert nobody_reads(site)
    site.ctx.clock.sleep(3600)
    p1_import.run(site.ctx)
    assert site.content() == wanted
    assert rejects_of(site) == rejected
    assert p1_import.verify(site.ctx).holds()
    assert site.ctx.state.ledger.pending() == []
    assert site.auther("PRAGMA journal_mode") == [("delete",)]


def nobody_reads(site: Site) -> bool:
    """Tell that those who were killed left no reader behind; one ends when it sends its next page."""
    mine = "datname = current_database() AND application_name = 'migrator'"
    for _ in range(100):
        if site.sql(f"SELECT count(*) FROM pg_stat_activity WHERE {mine}") == [(0,)]:
            return True
        time.sleep(0.1)
    return False


def kill_after(site: Site, seconds: float, work: str) -> None:
    """Kill it after so many seconds."""
    process = Attempt(site.root, NOW, work).started()
    process.join(seconds)
    process.kill()
    process.join()


def kill_at(site: Site, users: int) -> int:
    """Kill an import once so many users are there, and count them."""
    process = Attempt(site.root, NOW).started()
    while process.is_alive() and users_there(site) < users:
        time.sleep(0.002)
    process.kill()
    process.join()
    return users_there(site)


def users_there(site: Site) -> int:
    """Count the users at Auther; none while there are no tables, or somebody is making them."""
    if not site.auther_db.exists():
        return 0
    try:
        return int(site.auther('SELECT count(*) FROM "user"')[0][0])
    except sqlite3.OperationalError:
        return 0


def test_a_rollback_that_was_killed_is_finished_by_the_next_one(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path, devise_db, monkeypatch, page_rows="3")
    p1_import.run(site.ctx)
    for seconds in (0.2, 0.4, 0.6):
        kill_after(site, seconds, "rollback")
    if p1_import.standing(site.ctx).state != "not begun":
        p1_import.rollback(site.ctx)
    assert site.auther('SELECT count(*) FROM "user"') == [(0,)]
    assert site.auther("SELECT count(*) FROM account") == [(0,)]
    assert site.sql("SELECT to_regclass('migrator_identity')") == [(None,)]
    assert site.ctx.state.ledger.pending() == []


def test_a_rollback_killed_after_the_last_user_can_be_finished(site: Site) -> None:
    p1_import.run(site.ctx)
    site.ctx.state.ledger.intent("import", "rollback")
    site.auther('DELETE FROM "user"')
    site.sql("DROP TABLE migrator_identity, migrator_instance")
    assert p1_import.rollback(site.ctx).removed == 0
    assert p1_import.standing(site.ctx).state == "not begun"
    assert site.ctx.state.ledger.pending() == []
    with pytest.raises(UsageError, match="nothing to roll back"):
        p1_import.rollback(site.ctx)


def test_killed_between_claim_and_user_the_next_run_writes_the_user_as_it_is_now(
    site: Site,
) -> None:
    p1_import.run(site.ctx)
    ids = dict(site.sql("SELECT user_pk, auther_id FROM migrator_identity"))
    site.auther('DELETE FROM "user" WHERE id IN (?, ?, ?)', ids["1"], ids["2"], ids["3"])
    changed = "$2a$04$" + "a" * 53
    site.sql("UPDATE users SET encrypted_password = %s WHERE id = 1", changed)
    site.sql("UPDATE users SET email = '' WHERE id = 2")
    site.auther(
        'INSERT INTO "user" (id, name, email, created_at, updated_at) VALUES (?, ?, ?, 1, 1)',
        "somebody",
        "Somebody",
        "member3@example.org",
    )
    outcome = p1_import.run(site.ctx)
    assert outcome.counts.tally.imported == 1
    assert rejects_of(site)["2"] == "email_missing"
    assert rejects_of(site)["3"] == "target_taken"
    claimed = {pk for (pk,) in site.sql("SELECT user_pk FROM migrator_identity")}
    assert "1" in claimed
    assert not {"2", "3"} & claimed, "a claim without a user is taken back"
    assert p1_import.verify(site.ctx).holds()


def test_a_user_who_moved_and_was_deleted_at_auther_is_not_brought_back(site: Site) -> None:
    p1_import.run(site.ctx)
    (row,) = site.sql("SELECT auther_id FROM migrator_identity WHERE user_pk = '1'")
    site.sql("UPDATE migrator_identity SET home = 'auther' WHERE user_pk = '1'")
    site.auther('DELETE FROM "user" WHERE id = ?', row[0])
    assert counts(p1_import.run(site.ctx))[1:3] == (0, IMPORTED)
    assert site.auther('SELECT count(*) FROM "user" WHERE id = ?', row[0]) == [(0,)]
    assert p1_import.verify(site.ctx).left_to_auther == 1


def test_the_application_may_use_the_tables(site: Site) -> None:
    site.sql("CREATE ROLE shop_app")
    try:
        site.sql("GRANT SELECT, UPDATE ON users TO shop_app")
        p1_import.run(site.ctx)
        for table in ("migrator_identity", "migrator_instance"):
            for privilege in ("SELECT", "INSERT", "UPDATE"):
                asked = "SELECT has_table_privilege('shop_app', %s, %s)"
                assert site.sql(asked, table, privilege) == [(True,)]
    finally:
        site.sql("DROP OWNED BY shop_app")
        site.sql("DROP ROLE shop_app")


def test_a_missing_column_is_named_with_what_there_is(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path, devise_db, monkeypatch, columns='email = "mail"')
    with pytest.raises(UsageError, match=r"has no column 'mail' for email; it has: id, email"):
        p1_import.run(site.ctx)
    assert not site.auther_db.exists()


def test_confirmed_without_confirmable_is_refused(site: Site) -> None:
    site.sql("ALTER TABLE users DROP COLUMN confirmed_at")
    with pytest.raises(UsageError, match="nobody could sign in"):
        p1_import.run(site.ctx)


def test_an_unreachable_database_says_so_without_its_password(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEGACY_DATABASE_URL", "postgresql://me:hidden-word@127.0.0.1:1/app")
    with pytest.raises(DependencyError) as caught:
        p1_import.run(site.ctx)
    assert "hidden-word" not in f"{caught.value.message} {caught.value.hint}"
    monkeypatch.setenv("LEGACY_DATABASE_URL", "postgresql:/me:hidden-word@127.0.0.1")
    with pytest.raises((UsageError, DependencyError)) as refused:
        p1_import.run(site.ctx)
    assert "hidden-word" not in refused.value.message


@pytest.fixture
def newer(site: Site) -> Site:
    """An Auther whose accounts are as better-auth 1.7.0 to 1.7.2 make them."""
    schema = (Path(p1_import.__file__).parents[1] / "migrator/auther/ways/schema.sql").read_text()
    with closing(sqlite3.connect(site.auther_db)) as connection:
        connection.executescript(
            schema.replace(
                '"provider_id" text NOT NULL,',
                '"provider_id" text NOT NULL, issuer text NOT NULL,',
            )
        )
        connection.execute("CREATE UNIQUE INDEX account_key ON account (issuer, account_id)")
    return site


def test_accounts_of_better_auth_1_7_get_their_issuer(newer: Site) -> None:
    outcome = p1_import.run(newer.ctx)
    found = newer.auther("SELECT DISTINCT provider_id, issuer FROM account")
    assert dict(found) == {
        "credential": "local:credential",
        "google": "https://accounts.google.com",
        "github": "local:oauth:github",
        "facebook": "https://www.facebook.com",
    }
    assert counts(outcome)[1] == newer.auther('SELECT count(*) FROM "user"')[0][0]
    assert p1_import.verify(newer.ctx).holds()


def test_an_unknown_database_is_refused_before_anything_is_written(newer: Site) -> None:
    newer.auther("DROP TABLE session")
    newer.auther("ALTER TABLE account DROP COLUMN scope")
    with pytest.raises(RefusedError, match="no column scope; there is no table session"):
        p1_import.run(newer.ctx)
    assert newer.sql("SELECT to_regclass('migrator_identity')") == [(None,)]
