"""The plan tells what of the code goes, and in which order with the database."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from migrator.core.errors import UsageError
from migrator.sqlgen import steps
from migrator.sqlgen.code_removal import IGNORING_DIFF, TAKE_OUT_DIFF
from phases import p2_dual_path, p4_remove
from tests.parts.drain import TABLES as DRAIN_TABLES
from tests.parts.rails import SOURCE
from tests.phases.removal import make_site

if TYPE_CHECKING:
    from pathlib import Path

    from tests.phases.removal import Site


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    return make_site(tmp_path / "operator", devise_db, monkeypatch)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """The Rails application with a shim that was generated into it."""
    folder = tmp_path / "club"
    shutil.copytree(SOURCE, folder)
    made = p2_dual_path.plan_files(None, "rails", folder)
    p2_dual_path.generate(None, made, force=False)
    return folder


def test_the_page_tells_the_order_of_code_and_database(site: Site) -> None:
    files = p4_remove.plan(site.ctx).files
    order = re.findall(r"^\d+\. (.+)", files["README.md"], re.MULTILINE)
    assert order[0].startswith("Code first")
    assert [re.match(r"\*\*(\w+)", line)[1] for line in order[1:-1]] == [  # type: ignore[index]
        name for name in steps.NAMES if name != steps.ERASE_COLUMNS
    ]
    assert order[-1].startswith("Code last")
    page = files["code/README.md"]
    chapters = re.findall(r"^## (.+)", page, re.MULTILINE)
    assert chapters == ["C0, before step 03", "Between steps 03 and 16", "After step 17"]
    assert 'self.ignored_columns += ["encrypted_password"' in page
    assert "migrator remove plan --app PATH" in page


def test_of_an_application_the_diffs_are_ready_and_apply(site: Site, app: Path) -> None:
    made = p4_remove.plan(site.ctx, app=app)
    assert any("User names no ignored_columns" in note for note in made.notes)
    model = (app / "app/models/user.rb").read_text()
    for path in (IGNORING_DIFF, TAKE_OUT_DIFF):
        assert path in made.files["code/README.md"]
        diff = made.files[path].encode()
        subprocess.run(["git", "apply", "-"], cwd=app, input=diff, check=True)
    assert (app / "app/models/user.rb").read_text() != model
    assert not (app / "lib/auther_cutover.rb").exists()
    again = p4_remove.plan(site.ctx, app=app)
    assert not any("ignored_columns" in note for note in again.notes)
    assert IGNORING_DIFF not in again.files


def test_lines_that_name_what_goes_are_listed(site: Site, app: Path) -> None:
    (app / "app/models/report.rb").write_text(
        "class Report\n  def old = User.where('sign_in_count > 3').pluck(:name)\nend\n"
    )
    made = p4_remove.plan(site.ctx, app=app)
    assert "`app/models/report.rb:2 sign_in_count`" in made.files["code/README.md"]
    assert any("lines name what goes" in note for note in made.notes)


def test_instances_that_still_know_legacy_credentials_are_named(site: Site) -> None:
    site.sql(DRAIN_TABLES.partition(";")[2])
    site.sql(
        "INSERT INTO migrator_instance VALUES ('shop-1', '1', 'auther', 'auther', 1, 'file', true, now()), "
        "('shop-2', '2', 'auther', 'auther', 1, 'file', false, now())"
    )
    (note,) = (note for note in p4_remove.plan(site.ctx).notes if note.startswith("code: "))
    assert note.startswith("code: shop-1 run a build that knows legacy credentials")


def test_a_folder_without_an_application_is_refused(site: Site, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="holds no application of a known framework"):
        p4_remove.plan(site.ctx, app=tmp_path / "empty")
