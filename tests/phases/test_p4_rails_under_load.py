"""The whole removal under a running Rails application, pgbench and readers that stay, in the plan's order and against it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.errors import RefusedError
from migrator.core.stage import Stage
from migrator.runner.removing.plans import kept_plan
from migrator.sqlgen import steps
from phases import p4_remove
from tests.parts import require
from tests.parts.rails import RailsApp, prepare, settings_for
from tests.phases.application_role import PERSON, application_role, listening_site
from tests.phases.removal import STEPS, make_site
from tests.phases.stalls import bound_s, fill, of_bare_drops, of_the_steps
from tests.phases.visitors import Visitors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrator.shims.interface import ShimSettings
    from tests.parts.postgres import PostgresServer
    from tests.phases.application_role import ApplicationRole
    from tests.phases.removal import Site

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

BUDGET_S, STAY_S, USERS = 1.0, 3.0, 20_000
# What code/README.md asks for before step 03.
CONTROLLER = """# frozen_string_literal: true

class ApplicationController < ActionController::Base
  protect_from_forgery with: :exception

  def current_user
    auther_user
  end

  def authenticate_user!
    authenticate_auther!
  end
end
"""
MODEL = """# frozen_string_literal: true

class User < ActiveRecord::Base
  self.ignored_columns = %w[{columns}]

  def active_for_authentication?
    deleted_at.nil?
  end
end
"""
OLD_JOB = "require './config/environment'; User.where(encrypted_password: '').count"


@pytest.fixture
def role(postgres: PostgresServer, devise_db: str) -> Iterator[ApplicationRole]:
    """The application's own role."""
    require("rails")
    fill(devise_db, USERS)
    with application_role(postgres, devise_db) as role:
        yield role


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
def site(
    postgres: PostgresServer,
    role: ApplicationRole,
    devise_db: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Site:
    return listening_site(
        tmp_path / "site",
        devise_db,
        monkeypatch,
        role=role.name,
        postgres=postgres,
        budget_s=BUDGET_S,
    )


@pytest.fixture
def old_build(role: ApplicationRole, issuer: Issuer) -> Iterator[RailsApp]:
    """Devise and the shim with its legacy side, at stage auther, not started."""
    app = prepare(role.dsn, settings_for(issuer), extra={"MIGRATOR_INSTANCE": "old-1"})
    app.stage.set(Stage.AUTHER)
    yield app
    app.remove()


@pytest.fixture
def new_build(role: ApplicationRole, issuer: Issuer, site: Site) -> Iterator[RailsApp]:
    """The same application after C0: no Devise in its code, no column that goes, the shim without its legacy side."""
    plain = settings_for(issuer)

    def settings(port: int, key: str) -> ShimSettings:
        return replace(plain(port, key), legacy=False)

    app = prepare(role.dsn, settings, extra={"MIGRATOR_INSTANCE": "new-1"})
    columns = " ".join(p4_remove.plan(site.ctx).columns)
    (app.folder / "app/controllers/application_controller.rb").write_text(CONTROLLER)
    (app.folder / "app/models/user.rb").write_text(MODEL.format(columns=columns))
    routes = app.folder / "config/routes.rb"
    routes.write_text(routes.read_text().replace("  devise_for :users\n", ""))
    yield app
    app.remove()


@pytest.fixture
def bare(postgres: PostgresServer, role: ApplicationRole, devise_db: str) -> Iterator[str]:
    """A copy for a DROP without further thought, made before anybody is connected."""
    with postgres.temporary_database(template=devise_db.rpartition("/")[2]) as copy:
        yield copy


def test_in_the_plans_order_no_request_fails_and_nobody_waits_longer_than_for_one_lock(
    bare: str, site: Site, new_build: RailsApp, issuer: Issuer, tmp_path: Path
) -> None:
    new_build.start()
    token = issuer.make_token(PERSON)
    with Visitors(new_build.base_url, "/whoami", token, says='"user":1') as visitors:
        careful = of_the_steps(site, tmp_path / "steps", stay_s=STAY_S)
    columns = kept_plan(site.ctx).columns
    careless = of_bare_drops(bare, tmp_path / "drops", columns, stay_s=STAY_S)
    slowest_s = max(answer.took_s for answer in visitors.answers)
    print(f"{len(visitors.answers)} requests of Rails, the slowest {slowest_s:.2f} s")
    for stall in (*careful.stalls, *careless.stalls):
        print(f"{stall.what:28}{stall.longest_s:>8.3f} s")
    assert visitors.wrong == []
    assert [stall.what for stall in careful.stalls if not stall.holds(BUDGET_S)] == []
    assert (careful.refused, [stall.what for stall in careful.stalls]) == (0, list(STEPS))
    assert max(stall.longest_s for stall in careless.stalls) > bound_s(BUDGET_S)
    assert p4_remove.verify(site.ctx) == (steps.FINALIZE,)


def test_against_the_plans_order_an_old_build_is_named_and_a_forgotten_job_is_heard(
    site: Site,
    old_build: RailsApp,
    new_build: RailsApp,
    issuer: Issuer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old_build.start()
    token = issuer.make_token(PERSON)
    with Visitors(old_build.base_url, "/whoami", token, says='"user":1') as visitors:
        while not site.sql("SELECT count(*) FROM migrator_instance WHERE legacy_capable"):
            visitors.wait_a_moment()
    asked = ("scream_window", "lockout", "second_factors")
    strict = make_site(tmp_path / "strict", site.dsn, monkeypatch, acknowledged=asked)
    p4_remove.plan(strict.ctx)
    with pytest.raises(RefusedError, match="know the legacy side: old-1"):
        p4_remove.run(strict.ctx)
    p4_remove.rollback(strict.ctx)
    old_build.stop()
    new_build.start()
    with Visitors(new_build.base_url, "/whoami", token, says='"user":1') as visitors:
        p4_remove.run(site.ctx, steps.QUARANTINE_COLUMNS)
        job = old_build.run("bundle", "exec", "ruby", "-e", OLD_JOB)
        assert "encrypted_password does not exist" in job.stderr
        with pytest.raises(RefusedError, match="statements were refused since"):
            p4_remove.run(site.ctx)
        assert (p4_remove.status(site.ctx).refused, job.returncode) != ({}, 0)
        p4_remove.rollback(site.ctx, steps.LOOSEN_COLUMNS)
        again = old_build.run("bundle", "exec", "ruby", "-e", OLD_JOB)
    assert again.returncode == 0
    assert visitors.wrong == []
