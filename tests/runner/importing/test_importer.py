"""Pages that meet rows nobody expected are looked at again, and no claim is left without its user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrator.auther.ways.sqlite import open_sqlite
from migrator.core.users import RejectReason
from migrator.runner.importing.batch import Batch
from migrator.runner.importing.importer import Importer, Sides
from migrator.runner.importing.imports import make_rules, open_ends
from migrator.runner.importing.rejects import Rejects
from tests.phases.importing import Site, make_site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    return make_site(tmp_path, devise_db, monkeypatch)


@pytest.mark.parametrize("clash", ["email", "auther id", "link"])
def test_a_side_thought_untouched_that_is_not(site: Site, clash: str) -> None:
    with open_ends(site.ctx, writing=True) as ends, open_sqlite(site.auther_db) as target:
        ends.identities.create()
        if clash == "email":
            site.auther(
                'INSERT INTO "user" (id, name, email, created_at, updated_at)'
                " VALUES ('x', 'x', 'member1@example.org', 1, 1)"
            )
        rules = make_rules(site.ctx, ends.source)
        page = ends.source.page_after(None, rows=20)
        sides = Sides(target, ends.identities, rules.source, untouched=True)
        importer = Importer(sides, rules, Rejects(None))
        if clash != "email":
            first = importer._map(page.users)[0]
            pk, auther_id = ("1", "made-at-login") if clash == "link" else ("77", first.user.id)
            site.sql(
                "INSERT INTO migrator_identity (source, user_pk, auther_id, origin)"
                " VALUES ('User', %s, %s, 'jit')",
                pk,
                auther_id,
            )
        importer.write(Batch.of(page.users))
    tally = importer.counts.tally
    assert tally.adds_up()
    assert tally.imported == 19
    assert tally.rejected == ({} if clash == "link" else {RejectReason.TARGET_TAKEN: 1})
    claimed = site.sql("SELECT auther_id FROM migrator_identity WHERE origin = 'import'")
    there = site.auther("SELECT id FROM \"user\" WHERE id <> 'x'")
    assert sorted(claimed) == sorted(there)
    assert len(there) == 19
