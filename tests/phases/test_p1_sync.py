"""The sync as a whole: what changes in the application changes at Auther, and nothing else does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from migrator.core.errors import HeldError
from migrator.runner.syncing.passes import PassReport, Wish
from phases import p1_import, p1_sync
from tests.phases.importing import IMPORTED, Site, make_site

if TYPE_CHECKING:
    from pathlib import Path

OTHER_HASH = "$2a$04$" + "b" * 53


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = make_site(tmp_path, devise_db, monkeypatch, identities="public.identities")
    p1_import.run(made.ctx)
    return made


def sync(site: Site, **wish: object) -> PassReport:
    return p1_sync.sync(site.ctx, Wish(**wish))  # type: ignore[arg-type]


def touch(site: Site, pk: int, **columns: object) -> None:
    names = ", ".join(f"{name} = %s" for name in columns)
    site.sql(
        f"UPDATE users SET {names}, updated_at = now() at time zone 'utc' WHERE id = %s",
        *columns.values(),
        pk,
    )


def stored(site: Site, pk: int, columns: str) -> tuple[object, ...]:
    (row,) = site.sql("SELECT auther_id FROM migrator_identity WHERE user_pk = %s", str(pk))
    (found,) = site.auther(f'SELECT {columns} FROM "user" WHERE id = ?', row[0])
    return found


def test_right_after_an_import_nothing_is_left_to_do(site: Site) -> None:
    before = site.content()
    for full in (False, True):
        report = sync(site, full=full)
        assert report.waiting == 0, report
        assert (report.lag.rows, report.lag.quarantined) == (0, 0)
    assert site.content() == before


def test_a_changed_row_is_followed(site: Site) -> None:
    touch(site, 1, name="Another Name", email="moved@example.org", encrypted_password=OTHER_HASH)
    report = sync(site)
    assert report.wrote["changed"] == 1, report
    assert stored(site, 1, "name, email") == ("Another Name", "moved@example.org")
    assert p1_import.verify(site.ctx).holds()
