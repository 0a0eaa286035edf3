"""The whole of phase 1 for a Laravel application: its own tables, its own hashers, the real better-auth."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from migrator.config.load import load
from migrator.core.clock import ManualClock
from migrator.core.progress import Progress
from migrator.core.users import PinReason, RejectReason
from migrator.runner.canaries import read_canaries
from migrator.runner.context import make_context
from migrator.runner.importing.proof import Answer
from migrator.runner.support.look_up import look_up
from phases import p0_preflight, p1_import
from tests.parts import require
from tests.parts.better_auth import BetterAuth
from tests.parts.dump import DATA
from tests.parts.laravel_site import LaravelSite
from tests.phases.importing import MIGRATION_KEY, NOW, Site, rejects_of
from tests.phases.syncing import loosen_brakes, sync

if TYPE_CHECKING:
    from pathlib import Path

Start = Callable[..., BetterAuth]

CONFIG = """
[migration]
name = "shop"
key = "env:MIGRATION_KEY"
[legacy]
kind = "laravel"
dsn = "env:LEGACY_DATABASE_URL"
identities_table = "public.social_accounts"
[legacy.roles]
join_table = "public.model_has_roles"
[auther]
database = "auther.db"
[import]
verified_when = "confirmed"
[stage]
signing_key = "env:STAGE_KEY"
expected_instances = 1
"""
# What the importer makes of each user; all others are imported and sign in.
REJECTED = {
    "md5": RejectReason.UNSUPPORTED_HASH,
    "pair_lower": RejectReason.EMAIL_COLLISION,
    "pair_upper": RejectReason.EMAIL_COLLISION,
    "twin_deleted": RejectReason.EMAIL_COLLISION,
    "blank_beside": RejectReason.EMAIL_COLLISION,
    "accent_lower": RejectReason.EMAIL_COLLISION,
    "accent_upper": RejectReason.EMAIL_COLLISION,
}
FACTORS = [f"second_factor{kind}" for kind in ("", "_begun", "_old_key", "_gcm", "_lost")]
NO_PASSWORD = (401, "INVALID_EMAIL_OR_PASSWORD")
REFUSED = {
    "unverified": (403, "EMAIL_NOT_VERIFIED"),
    "deleted": (403, "BANNED_USER"),
    **dict.fromkeys(["provider_only", "provider_column", "no_way_in"], NO_PASSWORD),
    **dict.fromkeys(FACTORS, NO_PASSWORD),
}
HASHED = ("bcrypt_4", "bcrypt_8", "bcrypt_10", "argon2i", "argon2id", "argon2id_dear")
# Laravel lets them in, and Auther does not: nobody vouched for the address, or a factor is missing.
STRICTER = {"unverified", *FACTORS}


def oracle() -> list[dict[str, str]]:
    """Laravel's users with their passwords and Laravel's own answers."""
    with (DATA / "laravel_plaintext.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def make(root: Path, dsn: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("LEGACY_DATABASE_URL", dsn)
    monkeypatch.setenv("MIGRATION_KEY", MIGRATION_KEY)
    monkeypatch.setenv("STAGE_KEY", "unused here")
    file = root / "migrator.toml"
    file.write_text(CONFIG)
    ctx = make_context(load(file), root=root, clock=ManualClock(NOW), progress=Progress())
    return Site(ctx, root, dsn)


@pytest.fixture
def site(tmp_path: Path, laravel_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    return make(tmp_path, laravel_db, monkeypatch)


def test_everybody_whom_laravel_lets_in_signs_in_at_auther(
    site: Site, better_auth: Start, tmp_path: Path
) -> None:
    people = oracle()
    planned = p1_import.plan(site.ctx).counts.tally
    done = p1_import.run(site.ctx).counts.tally
    assert (done.read, done.imported) == (len(people), planned.imported)
    assert done.rejected == Counter(REJECTED.values())
    by_id = {person["id"]: person["category"] for person in people}
    assert {by_id[pk]: reason for pk, reason in rejects_of(site).items()} == REJECTED
    assert p1_import.verify(site.ctx).holds()

    auther = better_auth(site.auther_db)
    for person in people:
        category, address = person["category"], person["email"].strip()
        if category in REJECTED:
            continue
        expected = REFUSED.get(category, (200, ""))
        lets_in = person["signs_in_as"] == person["id"]
        if category not in STRICTER | {"blank_alone"}:
            assert lets_in == (expected == (200, "")), person
        found = auther.sign_in(address, person["password"])
        assert (found.status, found.code) == expected, category
        if category in HASHED:
            assert auther.sign_in(address, "not the password").status == 401, category


def test_whoever_could_be_taken_for_somebody_else_waits_for_a_decision(site: Site) -> None:
    people = {person["category"]: person for person in oracle()}
    lower, upper = people["pair_lower"], people["pair_upper"]
    assert (lower["signs_in_as"], upper["signs_in_as"]) == (lower["id"], upper["id"])
    assert upper["in_lower_case"] == lower["id"], "one input, two people: Auther would swap them"
    p1_import.run(site.ctx)
    stored = {email for (email,) in site.auther('SELECT email FROM "user"')}
    assert "pair@example.org" not in stored
    # Of two rows of which the login form finds one, that one keeps the address.
    assert {"twin@example.org", "beside@example.org"} <= stored
    assert people["twin_alive"]["signs_in_as"] == people["twin_alive"]["id"]
    assert people["blank_beside"]["signs_in_as"] == people["beside"]["id"]
    found = {p.legacy.pk: p.legacy for p in look_up(site.ctx, "PAIR@example.org") if p.legacy}
    assert {pk: facts.refused for pk, facts in found.items()} == {
        lower["id"]: "email_collision",
        upper["id"]: "email_collision",
    }
    assert all(facts.email_found for facts in found.values())


def test_what_laravel_knows_of_people_is_at_auther(site: Site) -> None:
    unknown = p1_import.run(site.ctx).counts.unknown_roles
    assert unknown == {"editor": 2, "moderator": 1}, "not what another model's key has"
    names = dict(site.auther('SELECT email, name FROM "user"'))
    assert names["grace.capitals@example.org"] == "Ada Capitals"
    links = site.auther(
        "SELECT u.email, a.provider_id, a.account_id FROM account AS a JOIN user AS u"
        " ON u.id = a.user_id WHERE a.provider_id <> 'credential' ORDER BY 1"
    )
    assert links == [
        ("bcrypt_4@example.org", "google", "1180002"),
        ("provider_column@example.org", "github", "7000001"),
        ("provider_only@example.org", "google", "1180001"),
    ]
    pinned = site.sql(
        "SELECT user_pk, pinned_reason FROM migrator_identity WHERE pinned_reason <> ''"
    )
    factors = {p["id"] for p in oracle() if p["otp_secret"]}
    assert dict(pinned) == dict.fromkeys(factors, PinReason.SECOND_FACTOR)
    removed = p1_import.rollback(site.ctx).removed
    assert (removed, site.auther('SELECT * FROM "user"')) == (len(names), [])


def test_preflight_tells_what_laravel_leaves_open(site: Site, tmp_path: Path) -> None:
    canaries = tmp_path / "canaries.csv"
    known = [p for p in oracle() if p["category"] in {"Capitals", "pair_upper", "argon2id"}]
    with canaries.open("w", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [("email", "password"), *((p["email"], p["password"]) for p in known)]
        )
    canaries.chmod(0o600)
    names = {"email_column": "email", "password_column": "password"}
    report = p0_preflight.run(site.ctx, canaries=read_canaries(canaries))
    legacy = report.findings.legacy
    assert (legacy.library, legacy.table) == ("laravel", "public.users")
    states = legacy.states
    assert (states.users, states.without_password, states.soft_deleted) == (30, 3, 2)
    assert (states.second_factor, states.unconfirmed) == (5, 1)
    assert (legacy.identities.by_provider, legacy.identities.passwordless_alone) == (
        {"google": 2, "github": 1},
        1,
    )
    assert (legacy.sessions.rows, legacy.sessions.of_users) == (3, 2)
    assert all(canary.pepper == "none" for canary in report.findings.canaries)
    warnings = {reason.code: reason for reason in report.verdict.warnings}
    expected = {"remember_tokens", "factors_begun", "other_bearers", "second_factor"}
    assert expected <= warnings.keys()
    assert "personal_access_tokens" in warnings["other_bearers"].text
    assert "sign in" in warnings["unconfirmed"].todo
    p1_import.run(site.ctx)
    (proof,) = [
        p for p in p1_import.prove(site.ctx, canaries, **names) if p.answer is not Answer.SIGNS_IN
    ]
    assert proof.answer is Answer.NOT_THERE


def test_a_table_of_sign_ins_that_is_not_configured_is_named(site: Site) -> None:
    file = site.root / "migrator.toml"
    file.write_text(CONFIG.replace('identities_table = "public.social_accounts"\n', ""))
    ctx = make_context(load(file), root=site.root, clock=ManualClock(NOW), progress=Progress())
    report = p0_preflight.run(ctx)
    assert report.findings.legacy.identities.by_provider == {"github": 1}
    (found,) = [r for r in report.verdict.warnings if r.code == "identities_not_configured"]
    assert found.text.startswith("public.social_accounts looks like")


def test_a_person_decides_who_gets_an_address(site: Site) -> None:
    upper = next(p for p in oracle() if p["category"] == "pair_upper")
    resolutions = f'[user."{upper["id"]}"]\nreason = "email_collision"\naction = "wins"\n'
    file = site.root / ".migrator" / "resolutions.toml"
    file.write_text(resolutions)
    file.chmod(0o600)
    p1_import.run(site.ctx)
    names = dict(site.auther('SELECT email, name FROM "user"'))
    assert names["pair@example.org"] == "Ada pair_upper"


def test_the_real_laravel_makes_these_people_and_says_the_same(fresh_db: str) -> None:
    require("laravel")
    made = LaravelSite(fresh_db).make()
    said = [{name: str(value) for name, value in person.items()} for person in made]
    assert said == oracle()


def test_the_sync_follows_a_password_and_who_comes_too_near(
    site: Site, better_auth: Start
) -> None:
    require("laravel")
    p1_import.run(site.ctx)
    LaravelSite(site.dsn).set_password("bcrypt_4@example.org", "a password of today")
    site.sql(
        "INSERT INTO users (name, email, password, email_verified_at, updated_at)"
        " SELECT 'Near', 'Bcrypt_8@example.org', password, now(), now() FROM users WHERE id = 2"
    )
    report = sync(loosen_brakes(site))
    assert report.lag.rows == 0
    auther = better_auth(site.auther_db)
    assert auther.sign_in("bcrypt_4@example.org", "a password of today").status == 200
    assert site.auther("SELECT name FROM user WHERE email = 'bcrypt_8@example.org'") == [
        ("Ada bcrypt_8",)
    ]
    assert "email_collision" in (site.root / ".migrator" / "sync-rejects.jsonl").read_text()


def test_keys_that_are_uuids(
    tmp_path: Path, fresh_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    require("laravel")
    people = LaravelSite(fresh_db, "uuid").make()
    site = make(tmp_path, fresh_db, monkeypatch)
    done = p1_import.run(site.ctx).counts
    assert (done.tally.imported, done.unknown_roles) == (
        len(people) - len(REJECTED),
        {"editor": 2, "moderator": 1},
    )
    assert p1_import.verify(site.ctx).holds()
    keys = {person["id"] for person in people}
    assert {key for (key,) in site.auther('SELECT id FROM "user"')} < keys
