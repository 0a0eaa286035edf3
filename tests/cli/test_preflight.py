from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.cli.command import Ran, migrator, migrator_process
from tests.legacy.surveying import oracle
from tests.parts.rails import SOURCE as RAILS_APP
from tests.phases.preflight_site import Site, make_site

if TYPE_CHECKING:
    from pathlib import Path

CANARIES = "email,password,remark\nmember2@example.org,correct horse battery 2,mine\n"
NARROW = {"COLUMNS": "80"}


@pytest.fixture
def site(tmp_path: Path, devise_db: str) -> Site:
    return make_site(tmp_path, devise_db)


def preflight(site: Site, *arguments: str) -> Ran:
    return migrator(site.root, "preflight", *arguments, env=NARROW)


def test_people_see_findings_reasons_and_a_verdict(site: Site) -> None:
    site.secret("canaries.csv", CANARIES)
    ran = preflight(site, "--canaries", "canaries.csv")
    assert ran.code == 0, ran.err
    for said in (
        "Legacy: public.users in",
        "bcrypt $2a$",
        "unclaimed: hex40",
        "public.orders.user_id",
        "m…2@e…e.org",
        "pepper 2024",
        "rejected: unsupported_hash",
        "[pepper_unused]",
        "READY: 0 blockers",
        "next: migrator import plan",
    ):
        assert said in ran.out
    assert "\x1b[" not in ran.out


def test_no_password_hash_pepper_or_address_is_shown(site: Site) -> None:
    site.secret("canaries.csv", CANARIES)
    secrets = {row["plaintext_password"] for row in oracle()} | {
        row["pepper"] for row in oracle() if row["pepper"]
    }
    for arguments in ((), ("--json",)):
        ran = preflight(site, "--canaries", "canaries.csv", *arguments)
        shown = ran.out + ran.err
        assert not [secret for secret in secrets if len(secret) > 7 and secret in shown]
        assert not re.search(r"\$2[aby]\$\d\d\$", shown)
        assert not re.search(r"[a-z0-9]{3,}@[a-z0-9]{3,}", shown, re.IGNORECASE)


def test_addresses_are_shown_when_asked_for(site: Site) -> None:
    found = preflight(site, "--json", "--show-emails").json
    examples = found["census"]["emails"]["shared"]["examples"]
    assert examples[0]["email"] == next(
        row["email"] for row in oracle() if row["category"] == "dup_case_b"
    )


def test_programs_get_one_json_document(site: Site) -> None:
    found = preflight(site, "--json").json
    assert found["ready"] is True
    assert found["legacy"]["states"]["users"] == 600
    assert len(found["legacy"]["foreign_keys"]) == 11
    assert found["forecast"]["rejected"]["email_missing"] == 12
    assert {"code", "text", "todo"} == set(found["warnings"][0])


def test_not_ready_is_exit_code_1_with_blockers_and_one_document(site: Site) -> None:
    site.secret("canaries.csv", "email,password\nmember2@example.org,wrong horse\n")
    words = ("preflight", "--canaries", "canaries.csv", "--json")
    ran = migrator_process(site.root, *words, env=NARROW)
    assert ran.code == 1
    assert ran.json["ready"] is False
    assert [one["code"] for one in ran.json["blockers"]] == ["canary_failed"]
    ran = preflight(site, "--canaries", "canaries.csv")
    assert ran.code == 1
    assert "NOT READY: 1 blocker," in ran.out
    assert "next: migrator import plan" not in ran.out


def test_a_file_of_canaries_that_others_may_read_is_refused(site: Site) -> None:
    site.secret("canaries.csv", CANARIES).chmod(0o644)
    ran = preflight(site, "--canaries", "canaries.csv")
    assert ran.code == 2
    assert "chmod 600" in ran.err


def test_an_unreachable_database_is_exit_code_4_without_its_password(tmp_path: Path) -> None:
    site = make_site(tmp_path, "postgresql://app:pw-in-dsn@127.0.0.1:1/none")
    ran = preflight(site)
    assert ran.code == 4
    assert "the application's database" in ran.err
    assert "pw-in-dsn" not in ran.out + ran.err


def test_a_missing_column_is_exit_code_2_and_says_what_there_is(
    tmp_path: Path, fresh_db: str
) -> None:
    with psycopg.connect(fresh_db) as connection:
        connection.execute("CREATE TABLE users (id bigint PRIMARY KEY, mail text, digest text)")
    ran = preflight(make_site(tmp_path, fresh_db, legacy="").without_identities())
    assert ran.code == 2
    assert "it has: id, mail, digest" in ran.err


def test_a_dry_run_connects_to_nothing(tmp_path: Path) -> None:
    site = make_site(tmp_path, "postgresql://app:pw-in-dsn@127.0.0.1:1/none")
    ran = preflight(site, "--dry-run")
    assert ran.code == 0
    assert "would read public.users, public.identities, public.sessions" in ran.out
    assert "pw-in-dsn" not in ran.out


def test_the_applications_code_is_read_where_it_is_said_to_be(site: Site) -> None:
    shown = preflight(site, "--app", str(RAILS_APP))
    assert "Application: rails in" in shown.out
    found = preflight(site, "--app", str(RAILS_APP), "--json").json
    assert found["application"]["models"]["User"][0] == "database_authenticatable"
    assert "ignored_columns_missing" in [reason["code"] for reason in found["warnings"]]
    assert found["application"]["secrets_set"] == ["pepper", "secret_key"]


def test_a_folder_without_an_application_is_exit_code_2(site: Site) -> None:
    assert preflight(site, "--app", str(site.root / "nowhere")).code == 2
    ran = preflight(site, "--app", str(site.root))
    assert ran.code == 2
    assert "no application of a known framework" in ran.err


def test_status_shows_the_verdict_and_goes_on_to_the_import(site: Site) -> None:
    before = migrator(site.root, "status")
    assert "next: migrator preflight" in before.out
    preflight(site)
    after = migrator(site.root, "status")
    assert "ready at" in after.out
    assert "next: migrator preflight" not in after.out


def test_names_with_brackets_are_no_markup(tmp_path: Path, fresh_db: str) -> None:
    with psycopg.connect(fresh_db) as connection:
        connection.execute(
            'CREATE TABLE "[red]users" (id bigint PRIMARY KEY, email text, encrypted_password text,'
            " confirmed_at timestamp)"
        )
        connection.execute("""INSERT INTO "[red]users" VALUES (1, 'a@b.co', '[/bold]', now())""")
        connection.execute('CREATE TABLE "[bold]x" (user_id bigint REFERENCES "[red]users" (id))')
    site = make_site(tmp_path, fresh_db, legacy='users_table = "[red]users"').without_identities()
    ran = preflight(site)
    assert "Legacy: public.[red]users" in ran.out
    assert "public.[bold]x.user_id" in ran.out
