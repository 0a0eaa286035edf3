"""Phase 4 while others work: nobody waits longer than the lock timeout, and an application that was made ready fails nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.errors import RefusedError
from migrator.core.stage import Stage
from migrator.runner.removing.plans import kept_plan
from migrator.sqlgen import steps
from phases import p4_remove
from tests.parts.asgi import AsgiApp, prepare
from tests.phases.application_role import PERSON, application_role, listening_site
from tests.phases.removal import STEPS, make_site
from tests.phases.stalls import (
    bound_s,
    fill,
    of_bare_drops,
    of_the_steps,
    of_the_way_back,
    patient,
)
from tests.phases.visitors import Visitors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.parts.postgres import PostgresServer
    from tests.phases.removal import Site


@pytest.mark.parametrize(
    ("users", "budget_s", "stay_s"),
    [
        pytest.param(600, 0.8, 1.3, id="600 users"),
        pytest.param(
            100_000,
            1.0,
            4.0,
            id="100000 users",
            marks=[pytest.mark.long, pytest.mark.timeout(1800)],
        ),
    ],
)
def test_no_query_waits_longer_than_one_lock_timeout_where_a_bare_drop_makes_all_wait(
    postgres: PostgresServer,
    devise_db: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    users: int,
    budget_s: float,
    stay_s: float,
) -> None:
    fill(devise_db, users)
    with postgres.temporary_database(template=devise_db.rpartition("/")[2]) as bare:
        site = patient(make_site(tmp_path / "site", devise_db, monkeypatch), budget_s=budget_s)
        careful = of_the_steps(site, tmp_path / "steps", stay_s=stay_s)
        columns = kept_plan(site.ctx).columns
        # The short proof is of the steps alone.
        back = of_the_way_back(site, tmp_path / "back", stay_s=stay_s) if users > 600 else careful
        careless = of_bare_drops(bare, tmp_path / "drops", columns, stay_s=stay_s)
    stalls = (*careful.stalls, *back.stalls)
    assert [stall.what for stall in stalls if not stall.holds(budget_s)] == []
    assert back.refused == 0
    assert (careful.refused, [stall.what for stall in careful.stalls]) == (0, list(STEPS))
    assert careful.queries > 500
    assert max(stall.longest_s for stall in careless.stalls) > bound_s(budget_s)


@pytest.fixture
def application(
    postgres: PostgresServer, devise_db: str, issuer: Issuer
) -> Iterator[tuple[AsgiApp, str]]:
    """The running application in stage auther, and the role that it signs in to PostgreSQL with."""
    with application_role(postgres, devise_db) as role:
        app = prepare(role.dsn, issuer)
        app.stage.set(Stage.AUTHER)
        app.start()
        yield app, role.name
        app.remove()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
def site(
    postgres: PostgresServer,
    application: tuple[AsgiApp, str],
    devise_db: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Site:
    return listening_site(
        tmp_path, devise_db, monkeypatch, role=application[1], postgres=postgres, budget_s=0.5
    )


def test_who_is_signed_in_stays_so_through_quarantine_and_old_code_is_heard_before_the_drop(
    site: Site, application: tuple[AsgiApp, str], issuer: Issuer
) -> None:
    app, role = application
    made = p4_remove.plan(site.ctx)
    assert made.unproven == ()
    with Visitors(app.base_url, "/me", issuer.make_token(PERSON), says='"user":"1"') as visitors:
        for step in STEPS[: STEPS.index(steps.QUARANTINE_COLUMNS) + 1]:
            p4_remove.run(site.ctx, step)
            seen = len(visitors.answers)
            while len(visitors.answers) < seen + 3:
                visitors.wait_a_moment()
    assert visitors.wrong == []
    # A form that should have gone first: it still reads the password.
    form = {"email": "bob@example.org", "password": "x"}
    assert httpx.post(f"{app.base_url}/login", data=form, verify=False).status_code == 500
    with pytest.raises(RefusedError, match="1 statements were refused") as caught:
        p4_remove.run(site.ctx)
    assert f"migrator remove revert --to {steps.LOOSEN_COLUMNS}" in caught.value.hint
    assert p4_remove.status(site.ctx).refused == {f"{role} ([unknown]): 42703": 1}
    p4_remove.rollback(site.ctx, steps.LOOSEN_COLUMNS)
    assert httpx.post(f"{app.base_url}/login", data=form, verify=False).status_code == 422
    p4_remove.run(site.ctx)
    assert p4_remove.verify(site.ctx) == (steps.FINALIZE,)
