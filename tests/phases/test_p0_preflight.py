from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.auther.ways.sqlite import open_sqlite
from migrator.conformance.issuer import Issuer
from migrator.core.errors import DependencyError, HeldError, RefusedError, UsageError
from migrator.core.ids import user_id
from migrator.legacy import survey
from migrator.runner.canaries import Canary
from phases import p0_preflight
from tests.legacy.surveying import categories, oracle
from tests.phases.preflight_site import Site, make_site

if TYPE_CHECKING:
    from pathlib import Path

    from phases.p0_preflight import Report

MEMBER = Canary("member2@example.org", "correct horse battery 2")
UNPEPPERED = next(row for row in oracle() if row["category"] == "no_pepper")


@pytest.fixture
def site(tmp_path: Path, devise_db: str) -> Site:
    return make_site(tmp_path, devise_db)


def blockers(report: Report) -> list[str]:
    return [reason.code for reason in report.verdict.blockers]


def warnings(report: Report) -> list[str]:
    return [reason.code for reason in report.verdict.warnings]


def auther_with(path: Path, *people: tuple[str, str]) -> None:
    with open_sqlite(path), closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            "INSERT INTO user (id, name, email, created_at, updated_at) VALUES (?, '', ?, 1, 1)",
            people,
        )
        connection.commit()


def test_the_600_users_are_ready_with_everything_foretold(site: Site) -> None:
    report = p0_preflight.run(
        site.context(),
        canaries=(MEMBER, Canary(UNPEPPERED["email"], UNPEPPERED["plaintext_password"])),
    )
    assert report.verdict.ready
    assert [canary.pepper for canary in report.findings.canaries] == ["2024", "none"]
    count, forecast = categories(), report.findings.forecast
    assert forecast is not None
    assert forecast.rejected == {
        "unsupported_hash": count["legacy_sha1"] + count["legacy_md5"],
        "email_missing": count["null_email"] + count["blank_email"],
        "email_collision": count["dup_case_b"],
    }
    assert forecast.imported + sum(forecast.rejected.values()) == 600
    assert forecast.pinned["second_factor"] == count["totp"]
    assert warnings(report) == [
        "rejects",
        "unclaimed_hashes",
        "email_missing",
        "email_capitals",
        "email_shared",
        "email_refused_by_auther",
        "odd_times",
        "second_factor",
        "unconfirmed",
        "no_way_in",
        "endless_sessions",
        "auther_not_probed",
    ]


def test_nothing_is_written_to_either_side(site: Site, devise_db: str) -> None:
    with psycopg.connect(devise_db, autocommit=True) as connection:
        query = "SELECT md5(string_agg(u::text, '' ORDER BY id)), (SELECT count(*) FROM pg_class) FROM users u"
        before = connection.execute(query).fetchone()
        p0_preflight.run(site.context(), canaries=(MEMBER,))
        assert connection.execute(query).fetchone() == before
    assert not (site.root / "auther.db").exists()


def test_a_wrong_pepper_is_caught_by_a_canary(tmp_path: Path, devise_db: str) -> None:
    site = make_site(tmp_path, devise_db, pepper="not the pepper")
    report = p0_preflight.run(site.context(), canaries=(MEMBER,))
    assert blockers(report) == ["canary_failed"]
    assert "1 of 1 canaries do not verify (tried: 2024, none)" in report.verdict.blockers[0].text


def test_without_canaries_the_peppers_count_as_unproven(site: Site) -> None:
    report = p0_preflight.run(site.context())
    assert report.verdict.ready
    assert "peppers_unproven" in warnings(report)


def test_the_ledger_holds_codes_and_counts_and_no_person(site: Site) -> None:
    ctx = site.context()
    p0_preflight.run(ctx, canaries=(MEMBER,))
    intent, outcome = ctx.state.ledger.entries()
    assert (intent.kind, intent.subject, intent.body) == ("intent", "preflight", {"canaries": 1})
    assert outcome.body["ready"] is True
    assert outcome.body["users"] == 600
    assert outcome.body["canaries_verified"] == 1
    written = str([intent.body, outcome.body])
    assert "@" not in written
    assert "$2a$04$" not in written
    assert MEMBER.password not in written


def test_status_knows_the_last_verdict(site: Site, tmp_path: Path, devise_db: str) -> None:
    ctx = site.context()
    assert p0_preflight.standing(ctx).next_command == "migrator preflight"
    with pytest.raises(HeldError):
        p0_preflight.verify(ctx)
    p0_preflight.run(ctx)
    standing = p0_preflight.standing(ctx)
    assert standing.done
    assert standing.state.startswith("ready at 2026-11-23 03:00Z: 600 users")
    p0_preflight.verify(ctx)

    make_site(tmp_path, devise_db, pepper="not the pepper")
    ctx = site.context()
    p0_preflight.run(ctx, canaries=(MEMBER,))
    standing = p0_preflight.standing(ctx)
    assert standing.held == ("canary_failed",)
    assert standing.next_command == "migrator preflight"
    with pytest.raises(RefusedError, match="canary_failed"):
        p0_preflight.verify(ctx)


def test_a_failure_is_recorded_and_said_by_status(tmp_path: Path) -> None:
    site = make_site(tmp_path, "postgresql://nobody:pw-in-dsn@127.0.0.1:1/none")
    ctx = site.context()
    with pytest.raises(DependencyError) as caught:
        p0_preflight.run(ctx)
    assert "pw-in-dsn" not in caught.value.message
    standing = p0_preflight.standing(ctx)
    assert standing.state.startswith("failed at")
    assert standing.next_command == "migrator preflight"
    with pytest.raises(HeldError):
        p0_preflight.verify(ctx)


def test_a_table_that_is_locked_ends_the_survey_in_time(
    site: Site, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey, "STATEMENT_TIMEOUT_S", 1)
    ctx = site.context()
    with psycopg.connect(devise_db) as other:
        other.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(DependencyError, match="statement timeout"):
            p0_preflight.run(ctx)
    assert p0_preflight.run(ctx).verdict.ready


def test_an_unknown_table_is_refused_with_what_there_is(tmp_path: Path, devise_db: str) -> None:
    site = make_site(tmp_path, devise_db, legacy='users_table = "public.members"')
    with pytest.raises(UsageError, match=r"no table public\.members; there are: public\.users"):
        p0_preflight.run(site.context())


def test_an_empty_users_table_is_not_ready(tmp_path: Path, devise_db: str) -> None:
    with psycopg.connect(devise_db) as connection:
        connection.execute("TRUNCATE users CASCADE")
    assert blockers(p0_preflight.run(make_site(tmp_path, devise_db).context())) == ["no_users"]


def test_without_confirmed_at_the_choice_confirmed_would_lock_everybody_out(
    tmp_path: Path, devise_db: str
) -> None:
    with psycopg.connect(devise_db) as connection:
        connection.execute("ALTER TABLE users DROP confirmed_at, DROP unconfirmed_email")
    report = p0_preflight.run(make_site(tmp_path, devise_db).context())
    assert blockers(report) == ["nobody_verified"]
    assert report.findings.forecast is None


def test_text_keys_become_ids_as_they_are(tmp_path: Path, fresh_db: str) -> None:
    with psycopg.connect(fresh_db) as connection:
        connection.execute(
            "CREATE TABLE users (id text PRIMARY KEY, email text, encrypted_password text)"
        )
        connection.execute("INSERT INTO users VALUES ('ann', 'ann@example.org', NULL)")
    site = make_site(tmp_path, fresh_db).without_identities()
    site.config_file.write_text(site.config_file.read_text().replace('"confirmed"', '"always"'))
    auther_with(site.root / "auther.db", ("ann", "ann@example.org"))
    report = p0_preflight.run(site.context())
    assert report.verdict.ready
    assert "key_type" in warnings(report)
    assert report.findings.forecast is not None
    assert report.findings.forecast.already_there == 1


def test_ids_above_2_to_the_53_are_foretold_like_any_other(tmp_path: Path, devise_db: str) -> None:
    with psycopg.connect(devise_db) as connection:
        connection.execute(
            "INSERT INTO users (id, email, encrypted_password, created_at, updated_at)"
            " VALUES (9007199254740993, 'big@example.org', '', now(), now())"
        )
    report = p0_preflight.run(make_site(tmp_path, devise_db).context())
    assert report.findings.legacy.key_range == ("1", "9007199254740993")
    assert report.findings.census.read == 601


def test_addresses_that_auther_has_under_another_id_are_counted(site: Site) -> None:
    key = ("k" * 43).encode()
    ours = user_id(key, namespace="club", source="User", pk=1)
    auther_with(
        site.root / "auther.db",
        (ours, "member1@example.org"),
        ("stranger2", "member2@example.org"),
        ("stranger3", "somebody@else.org"),
    )
    report = p0_preflight.run(site.context())
    forecast = report.findings.forecast
    assert forecast is not None
    assert forecast.already_there == 1
    assert forecast.rejected["target_taken"] == 1
    assert [(one.pk, one.email) for one in forecast.taken] == [("2", "member2@example.org")]
    assert report.findings.foreign_users == 2
    assert "target_taken" in warnings(report)
    assert report.verdict.ready


@pytest.mark.parametrize(
    ("column", "version", "refusal"),
    [
        ("issuer text DEFAULT '' NOT NULL", "better-auth 1.7", []),
        ("tenant text NOT NULL", "", ["auther_schema"]),
    ],
)
def test_a_newer_better_auth_is_known_and_an_unknown_one_refused(
    site: Site, column: str, version: str, refusal: list[str]
) -> None:
    auther_with(site.root / "auther.db")
    with closing(sqlite3.connect(site.root / "auther.db")) as connection:
        connection.execute("DROP TABLE account")
        connection.execute(
            "CREATE TABLE account (id text, account_id text, provider_id text, user_id text,"
            " access_token text, refresh_token text, id_token text, scope text, password text,"
            f" created_at integer, updated_at integer, {column})"
        )
    report = p0_preflight.run(site.context())
    assert report.findings.auther.schema == version
    assert blockers(report) == refusal


def test_tables_of_something_else_are_refused_by_name(site: Site) -> None:
    with closing(sqlite3.connect(site.root / "auther.db")) as connection:
        connection.execute("CREATE TABLE invoices (id)")
    report = p0_preflight.run(site.context())
    assert blockers(report) == ["auther_schema"]
    assert "there is no table user" in report.verdict.blockers[0].text


@pytest.mark.parametrize("lock", ["IMMEDIATE", "EXCLUSIVE"])
def test_a_database_that_somebody_writes_to_is_not_ready(site: Site, lock: str) -> None:
    auther_with(site.root / "auther.db")
    with closing(sqlite3.connect(site.root / "auther.db", isolation_level=None)) as writer:
        writer.execute(f"BEGIN {lock}")
        assert blockers(p0_preflight.run(site.context())) == ["auther_locked"]
        writer.execute("ROLLBACK")
    assert p0_preflight.run(site.context()).verdict.ready


def test_a_damaged_file_is_not_ready(site: Site) -> None:
    (site.root / "auther.db").write_bytes(b"no database" * 1000)
    assert blockers(p0_preflight.run(site.context())) == ["auther_file"]


def test_a_running_auther_must_be_the_issuer_that_is_configured(
    tmp_path: Path, devise_db: str
) -> None:
    with Issuer() as issuer:
        settings = f'base_url = "{issuer.issuer}"\nissuers = ["{{}}"]'
        good = make_site(tmp_path, devise_db, auther=settings.format(issuer.issuer))
        report = p0_preflight.run(good.context())
        assert report.verdict.ready
        assert "auther_not_probed" not in warnings(report)
        bad = make_site(tmp_path, devise_db, auther=settings.format("https://elsewhere"))
        assert blockers(p0_preflight.run(bad.context())) == ["issuer"]
    report = p0_preflight.run(good.context())
    assert report.verdict.ready
    assert "auther_silent" in warnings(report)


def test_the_remember_me_horizon_follows_remember_for(tmp_path: Path, devise_db: str) -> None:
    until = p0_preflight.run(make_site(tmp_path, devise_db).context()).findings.remembered_until
    assert until is not None
    assert until.isoformat(timespec="seconds") == "2026-12-07T02:44:53+00:00"
    forever = make_site(tmp_path, devise_db, legacy='remember_for = "never"')
    assert p0_preflight.run(forever.context()).findings.remembered_until is None


def test_a_plan_names_what_would_be_read_and_no_secret(site: Site, devise_db: str) -> None:
    planned = p0_preflight.plan(site.context())
    assert planned.tables == ("public.users", "public.identities", "public.sessions")
    assert planned.legacy == "file:legacy.dsn"
    assert devise_db not in str(planned)


def test_there_is_nothing_to_undo(site: Site) -> None:
    assert "nothing to undo" in p0_preflight.rollback(site.context())
