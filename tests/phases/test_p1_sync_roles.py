"""Roles after the import: gained and lost in the application, they come and go at Auther."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrator.auther.mapping.roles import tuple_id
from migrator.core.errors import HeldError
from phases import p1_import
from tests.phases.syncing import auther_id, loosen_brakes, sync
from tests.phases.test_p1_roles import KIND, prepare, site_with, tuples

if TYPE_CHECKING:
    from pathlib import Path

    from tests.phases.importing import Site

GRANT = (
    "INSERT INTO access_tuples (id, entity_type, entity_id, relation, subject_type, subject_id,"
    " created_at, updated_at) VALUES (?, ?, ?, ?, 'user', ?, 1800000000, 1800000000)"
)


@pytest.fixture
def site(tmp_path: Path, fresh_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = site_with('join_table = "public.users_roles"', tmp_path, fresh_db, monkeypatch)
    prepare(made)
    p1_import.run(made.ctx)
    return made


def grant(site: Site, pk: int, kind: str, entity_id: str, relation: str) -> None:
    """What an administrator of Auther does."""
    owner = auther_id(site, pk)
    given = (tuple_id(kind, entity_id, relation, owner), kind, entity_id, relation, owner)
    site.auther(GRANT, *given)


def test_roles_gained_and_lost_in_the_application_are_followed(site: Site) -> None:
    site = loosen_brakes(site, max_passwords_share=1)
    assert sync(site, full=True).waiting == 0
    site.sql("DELETE FROM users_roles WHERE user_id = 1 AND role_id = 2")
    site.sql("INSERT INTO users_roles VALUES (3, 1), (2, 2)")
    grant(site, 3, KIND, "*", "owner")
    grant(site, 2, KIND, "*", "reader")
    grant(site, 2, "client_shop:other", "*", "editor")
    found = p1_import.verify(site.ctx).by_kind
    assert found == {"role missing": 2, "role extra": 2}

    report = sync(site, full=True)

    assert (report.wrote["changed"], report.wrote["roles"]) == (3, 3)
    wanted = {("1", "*", "editor"), ("2", "*", "moderator"), ("2", "12", "moderator")}
    others = {("2", "*", "reader")}
    site.auther("DELETE FROM access_tuples WHERE entity_type <> ?", KIND)
    assert tuples(site) == {*wanted, *others, ("3", "*", "editor")}
    assert p1_import.verify(site.ctx).holds()
    assert sync(site, full=True).waiting == 0


def test_who_moved_to_auther_keeps_the_roles_given_there(site: Site) -> None:
    before = tuples(site)
    site.sql("UPDATE migrator_identity SET home = 'auther'")
    site.sql("DELETE FROM users_roles")
    assert sync(site, full=True).waiting == 0
    assert tuples(site) == before


def test_roles_taken_from_too_many_are_held_by_a_brake(site: Site) -> None:
    before = tuples(site)
    site.sql("DELETE FROM users_roles")
    with pytest.raises(HeldError, match="take roles from 2 of 4 users, more than 1"):
        sync(site, full=True)
    assert tuples(site) == before
    assert sync(loosen_brakes(site, max_passwords_share=0.5), full=True).wrote["roles"] == 2
    assert tuples(site) == set()


def test_without_the_table_roles_are_not_followed_and_that_is_said(site: Site) -> None:
    site.auther("DROP TABLE access_tuples")
    site.sql("UPDATE users SET email = 'new@x.org' WHERE id = 1")
    report = sync(site, full=True)
    assert (report.wrote["changed"], report.roles_unread) == (1, True)
