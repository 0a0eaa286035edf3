"""What a ramp of sign-ins says about a real better-auth, and when it says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrator.auther.live.capacity import Load, Step, best, measure, signing_in
from migrator.auther.live.doctor.interface import Account
from migrator.core import ids
from migrator.core.errors import HeldError, RefusedError, UsageError
from migrator.runner.standing_up.capacity import last_measured, measure_capacity
from tests.auther.live.doctor.site import APP, CAPABILITIES, PASSWORD, Site, open_site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.parts.better_auth import BetterAuth


@pytest.fixture
def site(better_auth: Callable[..., BetterAuth], tmp_path: Path) -> Callable[..., Site]:
    def started(*, rate_limit: bool = False) -> Site:
        env = CAPABILITIES | {"MIGRATOR_MARK": ids.mark_key(KEY.encode()).hex()}
        options = {"clients": [APP], "rate_limit": rate_limit, "env": env}
        auther = better_auth(tmp_path / "auther.db", **options)
        return open_site(tmp_path, auther)

    return started


KEY = "k" * 40


def accounts(site: Site, password: str = PASSWORD) -> list[Account]:
    return [Account(site.canary.email, password)]


def test_the_best_step_is_kept_and_no_session_stays(site: Callable[..., Site]) -> None:
    found = site()
    made = measure_capacity(found.ctx, accounts(found), seconds=2.5)

    assert [step.concurrency for step in made.steps] == [1, 2, 4, 8, 16]
    assert all(step.sign_ins for step in made.steps)
    assert made.measured.sign_ins_per_s == max(step.per_second for step in made.steps)
    assert last_measured(found.ctx) == made.measured
    assert found.users.rows("SELECT id FROM session") == []
    entry = found.ctx.state.ledger.latest("auther", "capacity", kind="outcome")
    assert entry is not None
    assert entry.body["sign_ins_per_s"] == round(made.measured.sign_ins_per_s, 2)
    assert found.canary.email not in str(entry.body)

    kept = found.ctx.state.checkpoints.get("auther", "capacity")
    found.ctx.state.checkpoints.put("auther", "capacity", kept | {"base_url": "http://other"})
    assert last_measured(found.ctx) is None, "after a move the figure is another Auther's"


def test_a_limit_is_not_taken_for_a_capacity(site: Callable[..., Site]) -> None:
    found = site(rate_limit=True)

    with pytest.raises(HeldError, match="429: Auther limits sign-ins from one address"):
        measure_capacity(found.ctx, accounts(found), seconds=5)
    assert last_measured(found.ctx) is None


def test_the_plugin_measures_where_sign_ins_are_limited(site: Callable[..., Site]) -> None:
    found = site(rate_limit=True)
    with pytest.raises(RefusedError, match="a verification answered 200 not_ours"):
        measure_capacity(found.ctx, accounts(found), seconds=2, through="verify")
    mark, user = ids.mark_key(KEY.encode()), found.canary.id
    marked = ids.account_id(mark, owner=user, provider="credential", subject=user)
    found.users.run("UPDATE account SET id = ? WHERE provider_id = 'credential'", marked)

    made = measure_capacity(found.ctx, accounts(found), seconds=2.5, through="verify")

    # Far beyond the three sign-ins in ten seconds that one address is allowed.
    assert [step.concurrency for step in made.steps][:4] == [1, 2, 4, 8]
    assert last_measured(found.ctx) == made.measured
    assert found.users.rows("SELECT id FROM session") == []


def test_a_wrong_password_measures_nothing_and_tries_once(site: Callable[..., Site]) -> None:
    found = site()

    with pytest.raises(RefusedError, match="a sign-in answered 401 INVALID_EMAIL_OR_PASSWORD"):
        measure_capacity(found.ctx, accounts(found, "wrong horse battery"), seconds=5)
    entry = found.ctx.state.ledger.latest("auther", "capacity", kind="outcome")
    assert entry is not None
    assert len(entry.body["steps"]) == 1


def test_it_makes_no_more_sign_ins_than_it_may(site: Callable[..., Site]) -> None:
    found = site()
    attempt = signing_in(f"{found.auther.base_url}/api/auth")
    load = Load(found.auther.base_url, accounts(found), 20, attempt, ramp=(2,), most=5)
    (step,) = measure(load, advance=lambda _step: None)

    assert step.sign_ins == 5
    assert "5 sign-ins are the most that are made" in step.stopped


def test_nobody_to_sign_in_is_a_usage_error(site: Callable[..., Site]) -> None:
    with pytest.raises(UsageError, match="at least one canary"):
        measure_capacity(site().ctx, [], seconds=5)


def test_steps_without_a_sign_in_have_no_best() -> None:
    assert best([Step(1, 0, 5.0, 0.0, 0.0), Step(2, 0, 0.0, 0.0, 0.0)]) is None
