"""What the running application leaves in its database, and how it behaves where that is missing."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from migrator.conformance.issuer import Issuer
from tests.parts import require
from tests.parts.go import GoApp, prepare
from tests.parts.postgres import PostgresServer
from tests.parts.stage_file import create_side_tables
from tests.shims.counting import (
    check_that_failed_answers_are_counted,
    check_that_the_log_says_what_was_counted,
)
from tests.shims.go.club import CAROL, PEPPER, csrf_of, oracle, wait_until

pytestmark = pytest.mark.xdist_group("conformance-go")


@dataclass
class Club:
    """One application, its issuer and its database."""

    app: GoApp
    issuer: Issuer
    dsn: str

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement on the application's database."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def browser(self) -> httpx.Client:
        """Give a browser that follows no redirects."""
        return httpx.Client(base_url=self.app.base_url, timeout=30, trust_env=False)

    def signed_in(self, user_id: int) -> httpx.Client:
        """Give a browser with a legacy session."""
        browser, person = self.browser(), oracle()[user_id]
        form = {"email": person["email"], "password": person["plaintext_password"]}
        form["csrf"] = csrf_of(browser.get("/login").text)
        assert browser.post("/login", data=form).status_code == 303
        return browser


@pytest.fixture(scope="module")
def club(postgres: PostgresServer, devise_template: str) -> Iterator[Club]:
    """The application in its baked stage: dual, 0 %."""
    require("go")
    with postgres.temporary_database(template=devise_template) as dsn, Issuer() as issuer:
        create_side_tables(dsn)
        app = prepare(dsn, issuer, pepper=PEPPER)
        club = Club(app, issuer, dsn)
        club.sql(
            "INSERT INTO migrator_identity (source, user_pk, auther_id) "
            "SELECT 'User', id::text, 'auther-user-' || id FROM users"
        )
        app.start()
        yield club
        app.remove()


def test_the_instance_reports_itself(club: Club) -> None:
    query = "SELECT build, baked, stage, source, legacy_capable, seen_at FROM migrator_instance"
    wait_until(lambda: club.sql(query) != [])
    ((*facts, seen_at),) = club.sql(query)

    assert facts == ["test-build", "dual", "dual", "baked", True]
    assert datetime.now(UTC) - seen_at < timedelta(seconds=15)


def test_a_legacy_user_is_seen(club: Club) -> None:
    query = "SELECT last_legacy_at IS NOT NULL FROM migrator_identity WHERE user_pk = %s"
    club.signed_in(CAROL).get("/me")

    wait_until(lambda: club.sql(query, str(CAROL)) == [(True,)])


def test_what_auther_says_to_a_password_is_noted_beside_the_sign_in(club: Club) -> None:
    sub, password = f"auther-user-{CAROL}", oracle()[CAROL]["plaintext_password"]
    club.issuer.plugin.passwords[sub] = password
    club.signed_in(CAROL)

    wait_until(
        lambda: (
            ("User", str(CAROL), True)
            in club.sql("SELECT source, user_pk, matched FROM migrator_shadow")
        )
    )


@pytest.mark.parametrize("there", [True, False])
def test_a_moved_users_reset_link_leads_to_auther_and_is_consumed_only_then(
    club: Club, there: bool
) -> None:
    sub = f"auther-user-{CAROL}"
    club.issuer.plugin.passwords[sub] = "any"
    club.sql("UPDATE migrator_identity SET home = 'auther' WHERE user_pk = %s", str(CAROL))
    digest = hashlib.sha256(b"link").hexdigest()
    club.sql("UPDATE users SET reset_password_token = %s WHERE id = %s", digest, CAROL)
    club.issuer.plugin.mode = "ok" if there else "down"
    try:
        answer = club.browser().get("/reset", params={"token": "link"})
    finally:
        club.issuer.plugin.mode = "ok"
        club.sql("UPDATE migrator_identity SET home = 'legacy' WHERE user_pk = %s", str(CAROL))

    assert answer.status_code == (303 if there else 503)
    left = club.sql("SELECT reset_password_token FROM users WHERE id = %s", CAROL)
    assert left == [(None if there else digest,)]


def test_without_its_side_tables_the_application_still_serves_sessions(club: Club) -> None:
    browser = club.signed_in(CAROL)
    token = club.issuer.make_token(f"auther-user-{CAROL}")
    club.sql("ALTER TABLE migrator_identity RENAME TO hidden")
    try:
        session = browser.get("/me")
        bearer = club.browser().get("/me", headers={"Authorization": f"Bearer {token}"})
    finally:
        club.sql("ALTER TABLE hidden RENAME TO migrator_identity")

    assert (session.json()["user"], bearer.status_code) == (str(CAROL), 503)


def test_an_identity_whose_key_only_begins_with_a_number_is_no_user(club: Club) -> None:
    club.sql(
        "INSERT INTO migrator_identity (source, user_pk, auther_id) VALUES ('User', '2abc', 'x')"
    )
    token = club.issuer.make_token("x")

    assert (
        club.browser().get("/me", headers={"Authorization": f"Bearer {token}"}).status_code == 503
    )


def test_it_ends_when_it_is_asked_to(postgres: PostgresServer, devise_template: str) -> None:
    require("go")
    with postgres.temporary_database(template=devise_template) as dsn, Issuer() as issuer:
        app = prepare(dsn, issuer)
        try:
            app.start()
            app.stop()
            assert app.process is not None
            assert app.process.returncode == 0, app.log
        finally:
            app.remove()


def test_the_log_never_holds_a_token_or_a_connection_string(club: Club) -> None:
    token = club.issuer.make_token(f"auther-user-{CAROL}")
    club.browser().get("/me", headers={"Authorization": f"Bearer {token}"})

    assert token.split(".")[2] not in club.app.log
    assert "postgresql://" not in club.app.log


def test_answers_of_the_application_that_fail_are_counted(club: Club) -> None:
    check_that_failed_answers_are_counted(club.app, fails=["/broken"])


def test_the_log_says_what_was_counted(club: Club) -> None:
    check_that_the_log_says_what_was_counted(club.app)
