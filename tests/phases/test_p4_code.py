"""The plan tells what of the code goes, and in which order with the database."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from migrator.core.errors import HeldError, RefusedError, UsageError
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


ACKNOWLEDGED = ("scream_window", "lockout", "second_factors")


def report(site: Site, *, legacy_capable: bool, silent_s: int = 0) -> None:
    """Let an instance say what it runs."""
    site.sql("DELETE FROM migrator_instance")
    site.sql(
        "INSERT INTO migrator_instance VALUES ('shop-1', 'b42', 'auther', 'auther', 1, 'file', %s, now() - %s * interval '1 s')",
        legacy_capable,
        silent_s,
    )


def test_nothing_is_taken_away_while_a_build_knows_the_legacy_side_or_nobody_says_what_runs(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path / "operator", devise_db, monkeypatch, acknowledged=ACKNOWLEDGED)
    p4_remove.plan(site.ctx)
    with pytest.raises(HeldError, match=r"UNPROVEN.*: 0 of 1 or more that report") as caught:
        p4_remove.run(site.ctx)
    assert 'acknowledged = ["code_first"]' in caught.value.hint
    states = p4_remove.status(site.ctx).steps
    assert [name for name, state in states.items() if state == "applied"] == [
        steps.GUARD,
        steps.TRIPWIRES,
    ]
    site.sql(DRAIN_TABLES.partition(";")[2])
    report(site, legacy_capable=True)
    with pytest.raises(RefusedError, match=r"know the legacy side: shop-1 \(build b42\)"):
        p4_remove.run(site.ctx)
    report(site, legacy_capable=False, silent_s=3600)
    with pytest.raises(HeldError, match="UNPROVEN"):
        p4_remove.run(site.ctx)
    report(site, legacy_capable=False)
    p4_remove.run(site.ctx, steps.QUARANTINE_TABLES)
    # Somebody rolls back to a build from before.
    report(site, legacy_capable=True)
    with pytest.raises(RefusedError, match="know the legacy side"):
        p4_remove.run(site.ctx, steps.WRITE_BLOCK_TABLES)
    # The way back asks for nothing.
    p4_remove.rollback(site.ctx)


def test_code_that_was_read_and_names_what_goes_holds_the_first_step_that_takes_something(
    tmp_path: Path, app: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path / "operator", devise_db, monkeypatch, acknowledged=ACKNOWLEDGED)
    made = p4_remove.plan(site.ctx, app=app)
    p4_remove.run(site.ctx, steps.TRIPWIRES)
    for move in (p4_remove.run, p4_remove.permit):
        with pytest.raises(HeldError, match="User names no ignored_columns") as caught:
            move(site.ctx, steps.REVOKE)
        assert "migrator remove plan --app PATH" in caught.value.hint
    p4_remove.rollback(site.ctx)
    diff = made.files[IGNORING_DIFF].encode()
    subprocess.run(["git", "apply", "-"], cwd=app, input=diff, check=True)
    assert "5 lines name what goes" in p4_remove.plan(site.ctx, app=app).code_first[0]
    # The five are the shim's: its build without the legacy side has none of them.
    p2_dual_path.generate(
        None, p2_dual_path.plan_files(None, "rails", app, legacy=False), force=False
    )
    (app / "lib/auther_cutover/account_pages.rb").unlink()
    assert p4_remove.plan(site.ctx, app=app).code_first == ()


def test_a_folder_without_an_application_is_refused(site: Site, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="holds no application of a known framework"):
        p4_remove.plan(site.ctx, app=tmp_path / "empty")
