"""What a comparison leaves behind: all differences as lines, and a page where one is wanted."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from migrator.core.errors import DependencyError
from phases import p1_import
from tests.cli.command import migrator
from tests.phases.importing import IMPORTED, Site, make_site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    site = make_site(tmp_path, devise_db, monkeypatch, identities="public.identities")
    p1_import.run(site.ctx)
    return site


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_every_difference_is_a_line_and_the_page_shows_the_first(site: Site) -> None:
    file, page = site.root / ".migrator" / "differences.jsonl", site.root / "pages" / "found.html"
    assert p1_import.verify(site.ctx).holds()
    assert file.read_text() == ""
    site.auther("UPDATE \"user\" SET email = 'odd' || email, role = '<b>boss</b>'")
    ran = migrator(site.root, "import", "verify", "--json", "--html", "pages/found.html")
    assert ran.code == 1, ran.err
    said = ran.json
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert said["differences"] == {"user.email": IMPORTED, "user.role": IMPORTED}
    assert said["differences_file"] == str(file)
    assert lines[:100] == said["shown"]
    assert len({(line["pk"], line["kind"]) for line in lines}) == len(lines) == 2 * IMPORTED
    assert mode(file) == mode(page) == 0o600
    html = page.read_text(encoding="utf-8")
    assert "The two sides differ." in html
    assert "<b>boss" not in html
    assert "All 1,130 are in" in html
    for text in (html, file.read_text(encoding="utf-8")):
        assert "m…1@e…e.org" in text
        assert "@example.org" not in text


def test_people_are_shown_a_few_and_told_where_all_are(site: Site) -> None:
    site.auther("UPDATE \"user\" SET role = 'boss'")
    ran = migrator(site.root, "import", "verify")
    assert ran.code == 1, ran.err
    assert ran.out.count("expected user, found boss") == 20
    assert "all 565 are in differences.jsonl" in ran.out


def test_a_page_that_cannot_be_written_is_said_before_anything_is_compared(site: Site) -> None:
    (site.root / "file").write_text("")
    before = len(list(site.ctx.state.ledger.entries()))
    with pytest.raises(DependencyError, match=r"the page found\.html cannot be written"):
        p1_import.verify(site.ctx, html=site.root / "file" / "found.html")
    assert len(list(site.ctx.state.ledger.entries())) == before
