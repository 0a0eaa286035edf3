from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrator.core.stage import Stage
from migrator.runner.support.advice import Door, advise
from migrator.runner.support.facts import Cutover, LegacyState
from migrator.runner.support.look_up import cutover, look_up
from phases import p1_import
from tests.phases.importing import make_site, rejects_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.phases.importing import Site

AT_AUTHER = Cutover(Stage.AUTHER, 0)


@pytest.fixture
def site(devise_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A migration whose users are imported."""
    site = make_site(tmp_path / "site", devise_db, monkeypatch, identities="public.identities")
    p1_import.run(site.ctx)
    return site


def email_of(site: Site, pk: int) -> str:
    return str(site.sql("SELECT email FROM users WHERE id = %s", pk)[0][0])


def rejected(site: Site, reason: str) -> list[int]:
    return [int(pk) for pk, why in rejects_of(site).items() if why == reason]


def test_an_imported_person_is_known_on_both_sides(site: Site) -> None:
    (person,) = look_up(site.ctx, f" {email_of(site, 1).upper()} ")
    assert person.legacy
    assert (person.legacy.pk, person.legacy.scheme) == ("1", "bcrypt")
    assert person.link
    assert person.link.hash_unchanged
    assert person.auther
    assert person.auther.credential == "envelope bcrypt"
    assert cutover(site.ctx).stage is Stage.LEGACY
    assert advise(person, cutover(site.ctx)).signs_in
    assert advise(person, AT_AUTHER).door is Door.AUTHER


def test_a_changed_password_shows(site: Site) -> None:
    site.sql("UPDATE users SET encrypted_password = %s WHERE id = 1", "$2a$04$" + "a" * 53)
    (person,) = look_up(site.ctx, email_of(site, 1))
    assert person.link
    assert not person.link.hash_unchanged


def test_an_address_in_capitals_is_found_whatever_its_letters_are(site: Site) -> None:
    site.sql("UPDATE users SET email = ' Viv@Example.dev' WHERE id = 1")
    assert [p.legacy.pk for p in look_up(site.ctx, "viv@example.dev") if p.legacy] == ["1"]


def test_of_a_shared_address_the_row_that_the_form_finds_comes_first(site: Site) -> None:
    loser = rejected(site, "email_collision")[0]
    people = look_up(site.ctx, email_of(site, loser))
    assert len(people) >= 2
    refused = {str(p.legacy.pk): p.legacy.refused for p in people if p.legacy}
    assert refused[str(loser)] == "email_collision"
    assert people[0].legacy
    assert people[0].legacy.email_found or not any(
        p.legacy and p.legacy.email_found for p in people
    )


def test_who_was_rejected_is_told_why(site: Site) -> None:
    pk = rejected(site, "unsupported_hash")[0]
    (person,) = look_up(site.ctx, email_of(site, pk))
    assert person.link is None
    assert person.auther is None
    advice = advise(person, AT_AUTHER)
    assert "unsupported_hash" in advice.reasons[0]
    assert advice.next_action.endswith("migrator import resolve")


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ("deleted_at = now()", LegacyState.DELETED),
        ("locked_at = timestamp '2026-11-23 02:59:00'", LegacyState.LOCKED),
        ("locked_at = timestamp '2026-11-22 02:59:00'", LegacyState.ACTIVE),
        ("confirmed_at = NULL", LegacyState.UNCONFIRMED),
    ],
)
def test_the_application_s_own_word_counts(site: Site, change: str, state: LegacyState) -> None:
    site.sql(f"UPDATE users SET {change} WHERE id = 1")
    (person,) = look_up(site.ctx, email_of(site, 1))
    assert person.legacy
    assert person.legacy.state is state


def test_nobody_is_somebody_else(site: Site) -> None:
    (person,) = look_up(site.ctx, "nobody@example.org")
    assert (person.legacy, person.link, person.auther) == (None, None, None)
    assert "neither side" in advise(person, AT_AUTHER).reasons[0]


def test_before_the_import_the_application_is_all_there_is(
    devise_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path / "new", devise_db, monkeypatch)
    (person,) = look_up(site.ctx, email_of(site, 1))
    assert person.legacy
    assert (person.link, person.auther) == (None, None)


def test_the_last_check_of_a_live_password_is_said(site: Site) -> None:
    site.sql(
        "INSERT INTO migrator_shadow (source, user_pk, matched, reason)"
        " VALUES ('User', '1', false, 'pepper_missing')"
    )
    (person,) = look_up(site.ctx, email_of(site, 1))
    assert "pepper_missing" in advise(person, AT_AUTHER).reasons[0]
