"""What cannot be undone in a moment needs two people, who agreed to exactly that."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from migrator.core.clock import ManualClock
from migrator.core.errors import ConflictError, HeldError, UsageError
from migrator.core.progress import Progress
from migrator.gates.spec import specs_before
from migrator.gates.verdict import GateState
from migrator.runner.context import make_context
from migrator.runner.gating.overriding import override, override_of
from migrator.runner.removing.consent import Consent
from migrator.runner.removing.site import Site as PlannedSite
from migrator.sqlgen import steps
from phases import p4_remove
from tests.phases.removal import make_site
from tests.runner.approvals import Team, approvers

if TYPE_CHECKING:
    from pathlib import Path

    from tests.phases.removal import Site

LISTED = (steps.PURGE_TABLES,)


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path)


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch, team: Team) -> Site:
    """Before the purge, which alice and bob have to agree to."""
    keys = {name: team.keys[name] for name in ("alice", "bob")}
    made = make_site(
        tmp_path, devise_db, monkeypatch, columns=(), approvals=LISTED, more=approvers(keys)
    )
    p4_remove.plan(made.ctx)
    p4_remove.run(made.ctx, steps.WRITE_BLOCK_TABLES)
    return made


def purge(site: Site) -> tuple[str, ...]:
    return p4_remove.run(site.ctx, steps.PURGE_TABLES, Consent(reason="retention is over")).steps


def ask(site: Site) -> None:
    with pytest.raises(HeldError, match="two approvers have to sign it"):
        purge(site)
    assert site.sql("SELECT to_regclass('migrator_quarantine.identities')") is not None


def test_two_people_let_it_happen_once(site: Site, team: Team) -> None:
    ask(site)
    team.sign("alice")
    with pytest.raises(HeldError, match=r"1 of 2 approvals \(alice\)"):
        purge(site)
    team.sign("bob")
    assert purge(site) == (steps.PURGE_TABLES,)
    outcome = site.ctx.state.ledger.latest("remove", f"apply {steps.PURGE_TABLES}", kind="outcome")
    used = site.ctx.state.ledger.latest("approval", "used", kind="intent")
    assert outcome is not None
    assert used is not None
    assert (outcome.body["approval"], used.body["approvers"]) == (used.seq, ["alice", "bob"])


def test_asking_for_an_approval_does_not_spend_the_override_of_a_gate(
    site: Site, team: Team
) -> None:
    (spec,) = specs_before(site.ctx.config, "remove")
    site.pass_gates(state=GateState.FAILED)
    with pytest.raises(HeldError):
        override(site.ctx, spec, reason="known")
    team.sign("alice", "bob")
    override(site.ctx, spec, reason="known")
    ask(site)
    team.sign("alice", "bob")
    assert purge(site) == (steps.PURGE_TABLES,)
    assert override_of(site.ctx, spec) is None


def test_an_approval_is_for_one_server(
    site: Site, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(site)
    team.sign("alice", "bob")
    there = PlannedSite.target.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(
        PlannedSite, "target", property(lambda here: there(here).replace(":", ":9", 1))
    )
    ask(site)


def test_an_approval_is_not_good_a_second_time(site: Site, team: Team) -> None:
    ask(site)
    team.sign("alice", "bob")
    p4_remove.permit(site.ctx, steps.PURGE_TABLES)
    ask(site)


def test_one_person_with_two_names_is_one(site: Site, team: Team) -> None:
    ask(site)
    team.keys["bob"] = team.keys["alice"]
    team.sign("alice", "bob")
    with pytest.raises(HeldError, match="bob's signature is not by the configured key"):
        purge(site)


def test_after_an_hour_it_is_asked_for_anew(site: Site, team: Team) -> None:
    ask(site)
    team.sign("alice", "bob")
    clock = ManualClock(site.ctx.clock.now() + timedelta(minutes=61))
    later = make_context(site.ctx.config, root=site.root, clock=clock, progress=Progress())
    late = replace(site, ctx=later)
    late.pass_gates()
    ask(late)


def test_new_evidence_is_another_matter(site: Site, team: Team) -> None:
    ask(site)
    team.sign("alice", "bob")
    gate = site.ctx.config.gates[0].model_copy(update={"at_most": 1.0})
    other = site.with_gates((gate,))
    other.pass_gates()
    ask(other)


def test_another_plan_of_the_same_removal_is_not_approved(site: Site, team: Team) -> None:
    ask(site)
    team.sign("alice", "bob")
    file = site.root / ".migrator/remove/deploy" / f"{steps.PURGE_TABLES}.sql"
    reviewed = file.read_text()
    file.write_text(reviewed.replace("RESTRICT", "CASCADE"))
    with pytest.raises(ConflictError, match="changed since `remove plan` wrote them"):
        purge(site)
    file.write_text(reviewed)
    p4_remove.rollback(site.ctx)
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.WRITE_BLOCK_TABLES)
    ask(site)


def test_without_approvers_the_plans_id_is_typed(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path, devise_db, monkeypatch, columns=(), approvals=LISTED)
    made = p4_remove.plan(site.ctx)
    for typed in ("", "yes"):
        with pytest.raises(HeldError, match="second confirmation") as held:
            p4_remove.run(site.ctx, consent=Consent(confirmation=typed))
    assert held.value.hint.endswith(f"--confirm {made.plan_id}")
    p4_remove.run(site.ctx, consent=Consent(confirmation=made.plan_id))
    used = site.ctx.state.ledger.latest("approval", "used", kind="intent")
    assert used is not None
    assert used.body["way"] == "second confirmation"


def test_a_step_that_does_not_exist_cannot_be_listed(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path, devise_db, monkeypatch, approvals=("09_drop",))
    p4_remove.plan(site.ctx)
    with pytest.raises(UsageError, match="no step 09_drop; there are: 01_guard"):
        p4_remove.run(site.ctx, steps.GUARD)
