"""The whole of phase 1 for a Django application: its own tables, its own hashers, the real better-auth."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.hashers import is_password_usable, make_password

from migrator.config.load import load
from migrator.core.clock import ManualClock
from migrator.core.progress import Progress
from migrator.core.users import RejectReason
from migrator.runner.context import make_context
from migrator.runner.importing.proof import Answer
from migrator.runner.writing_back.sides import open_tables
from phases import p0_preflight, p1_import
from tests.parts.better_auth import BetterAuth
from tests.parts.django_site import HASHERS, OWN_MODEL, DjangoSite
from tests.phases.importing import MIGRATION_KEY, NOW, Site
from tests.phases.syncing import loosen_brakes, sync

if TYPE_CHECKING:
    from pathlib import Path

Start = Callable[..., BetterAuth]
pytestmark = pytest.mark.xdist_group("django-site")

CONFIG = """
[migration]
name = "shop"
key = "env:MIGRATION_KEY"
[legacy]
kind = "django"
dsn = "env:LEGACY_DATABASE_URL"
{legacy}
[auther]
database = "auther.db"
[import]
verified_when = "{verified}"
{settings}
[stage]
signing_key = "env:STAGE_KEY"
expected_instances = 1
"""
GROUPS = '[legacy.roles]\njoin_table = "public.auth_user_groups"\ncolumn = "is_staff"'
OWN = """users_table = "people_customer"
columns = { email = "mail", name = "label", created_at = "joined", verified = "mail_proven" }
[legacy.roles]
join_table = "people_customer_groups"
"""
IGNORED = '[import.roles]\nignore = ["buyers"]'
# What the importer makes of each user; all others are imported and sign in.
REJECTED = {
    "md5": RejectReason.UNSUPPORTED_HASH,
    "no_address": RejectReason.EMAIL_MISSING,
    "same_address": RejectReason.EMAIL_COLLISION,
}
REFUSED = {
    "unusable": (401, "INVALID_EMAIL_OR_PASSWORD"),
    "inactive": (403, "BANNED_USER"),
}
INACTIVE = "migrator: disabled in the legacy system"


def make(
    root: Path,
    dsn: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    legacy: str,
    settings: str,
    verified: str = "always",
) -> Site:
    monkeypatch.setenv("LEGACY_DATABASE_URL", dsn)
    monkeypatch.setenv("MIGRATION_KEY", MIGRATION_KEY)
    monkeypatch.setenv("STAGE_KEY", "unused here")
    file = root / "migrator.toml"
    file.write_text(CONFIG.format(legacy=legacy, settings=settings, verified=verified))
    ctx = make_context(load(file), root=root, clock=ManualClock(NOW), progress=Progress())
    return Site(ctx, root, dsn)


@pytest.fixture
def people(django_made: tuple[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return django_made[1]


@pytest.fixture
def site(tmp_path: Path, django_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    return make(tmp_path, django_db, monkeypatch, legacy=GROUPS, settings="")


def test_everybody_whom_django_lets_in_signs_in_at_auther(
    site: Site, people: list[dict[str, Any]], better_auth: Start, tmp_path: Path
) -> None:
    legacy = p0_preflight.run(site.ctx).findings.legacy
    assert (legacy.library, legacy.table) == ("django", "public.auth_user")
    states = legacy.states
    assert (states.users, states.locked_now, states.without_password) == (len(people), 1, 1)

    planned = p1_import.plan(site.ctx).counts.tally
    done = p1_import.run(site.ctx).counts.tally
    stored = (
        "SELECT count(DISTINCT split_part(password, '$', 1)) FROM auth_user WHERE password <> ''"
    )
    assert site.sql(stored) == [(len(HASHERS) + 1,)], "Django keeps one value of each kind"
    assert (done.read, done.imported) == (len(people), planned.imported)
    assert done.rejected == Counter(REJECTED.values())
    assert p1_import.verify(site.ctx).holds()
    canaries = tmp_path / "canaries.csv"
    with canaries.open("w", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [("email", "password"), *((p["email"], p["password"]) for p in people[:1])]
        )
    canaries.chmod(0o600)
    names = {"email_column": "email", "password_column": "password"}
    (proof,) = p1_import.prove(site.ctx, canaries, **names)
    assert proof.answer is Answer.SIGNS_IN

    auther = better_auth(site.auther_db)
    for person in people:
        if person["category"] in REJECTED:
            continue
        expected = REFUSED.get(person["category"], (200, ""))
        assert (person["valid"] and person["active"]) == (expected == (200, "")), person
        if person["category"] in HASHERS:
            wrong = auther.sign_in(person["email"], "not the password")
            assert wrong.status == 401, person["category"]
        found = auther.sign_in(person["email"], person["password"])
        assert (found.status, found.code) == expected, person["category"]


def test_what_django_knows_of_people_is_at_auther(site: Site) -> None:
    unknown = p1_import.run(site.ctx).counts.unknown_roles
    assert unknown == {"editors": 1, "is_staff": 1}
    rows = site.auther('SELECT email, name, username, ban_reason FROM "user"')
    found = {email: tuple(rest) for email, *rest in rows}
    assert found["scrypt@example.org"] == ("Ada scrypt", "scrypt", None)
    assert found["nameless@example.org"] == ("", "nameless", None)
    assert found["mail.name@example.org"] == ("Ada Mail.Name@example.org", None, None)
    assert found["inactive@example.org"][2] == INACTIVE
    removed = p1_import.rollback(site.ctx).removed
    assert (removed, site.auther('SELECT * FROM "user"')) == (len(rows), [])


def test_whom_auther_alone_knows_gets_a_row_that_django_would_have_made(site: Site) -> None:
    p1_import.run(site.ctx)
    ask = "SELECT outcome, user_pk FROM migrator_new_user('User', %s, %s, %s, true)"
    ((outcome, pk),) = site.sql(ask, "sub-new", "New@example.org", "Ada " * 60)
    assert outcome == "created"
    row = site.row("SELECT * FROM auth_user WHERE id::text = %s", pk)
    flags = (row["is_active"], row["is_staff"], row["is_superuser"], row["last_login"])
    assert flags == (True, False, False, None)
    assert (row["email"], row["username"]) == ("new@example.org", "new@example.org")
    assert (len(row["first_name"]), row["last_name"]) == (150, "")
    assert not is_password_usable(row["password"])
    assert len(row["password"]) == len(make_password(None))
    # A name that is long enough for Auther and not for Django is no reason to turn somebody away.
    ((outcome, pk),) = site.sql(ask, "sub-long", f"{'a' * 150}@example.org", None)
    assert outcome == "created"
    assert site.row("SELECT * FROM auth_user WHERE id::text = %s", pk)["username"] == "sub-long"

    site.sql("UPDATE auth_user SET username = 'x@example.org' WHERE username = 'scrypt'")
    assert site.sql(ask, "sub-x", "x@example.org", "x") == [("email_taken", None)]


@pytest.mark.long
def test_the_sync_follows_a_password_and_an_account_that_is_closed(
    site: Site, better_auth: Start
) -> None:
    p1_import.run(site.ctx)
    DjangoSite(site.dsn).set_password("nameless", "a password of today")
    site.sql(
        "UPDATE auth_user SET is_active = NOT is_active WHERE username IN ('argon2', 'inactive')"
    )
    report = sync(loosen_brakes(site))
    assert report.lag.rows == 0
    auther = better_auth(site.auther_db)
    known = "Crème brûlée $7"
    assert auther.sign_in("nameless@example.org", "a password of today").status == 200
    assert auther.sign_in("nameless@example.org", known).status == 401
    assert auther.sign_in("argon2@example.org", known).code == "BANNED_USER"
    assert auther.sign_in("inactive@example.org", known).status == 200


def test_a_user_model_of_the_applications_own(
    tmp_path: Path, fresh_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    DjangoSite(fresh_db, OWN_MODEL).make()
    site = make(
        tmp_path, fresh_db, monkeypatch, legacy=OWN, settings=IGNORED, verified="confirmed"
    )
    assert p1_import.run(site.ctx).counts.tally.imported == 2
    assert p1_import.verify(site.ctx).holds()
    rows = site.auther('SELECT email, name, email_verified FROM "user" ORDER BY email')
    assert rows == [("a@x.org", "Ada", 1), ("b@x.org", "", 0)]
    with open_tables(site.ctx, writing=True) as tables:
        assert tables.users.columns.parts["email"] == "mail"
        assert tables.users.writable.username == "", (
            "who signs in with the address has no other name"
        )
