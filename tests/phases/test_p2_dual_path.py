"""The switch: forward one stage at a time, back at once, never half-way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from migrator.core.errors import (
    DependencyError,
    HeldError,
    RefusedError,
    UsageError,
)
from migrator.gates.verdict import GateState
from migrator.runner import stages
from migrator.runner.stages import Position
from migrator.runner.switching.publishing import publish
from phases import p2_dual_path
from tests.phases.switching import (
    AUTHER,
    DRAIN,
    DUAL,
    FAR,
    LEGACY,
    Make,
    Switching,
    results,
    run,
    set_stage,
)

if TYPE_CHECKING:
    from migrator.core.stage import Stage

    pass


# Forward


def test_a_step_is_written_down_then_published_then_followed(site: Switching) -> None:
    done = set_stage(site, DUAL, 12.5)

    assert done.lagging == ()
    document = site.read()
    assert (document.stage, document.percent, document.epoch) == (DUAL, 12.5, 1)
    intent = site.ctx.state.ledger.latest("stage", "set", kind="intent")
    assert intent is not None
    assert (document.ledger_head, document.ledger_length) == (intent.hash, intent.seq)
    assert intent.body["evidence"], "the gates' verdicts are named"
    assert results(site) == ["published"]
    assert p2_dual_path.verify(site.ctx) == ()
    assert (
        site.ctx.state.ledger.verify(known_head=(document.ledger_head, document.ledger_length))
        == []
    )


def test_shims_can_read_the_document_and_nothing_is_left_aside(site: Switching) -> None:
    set_stage(site, DUAL)

    folder = site.root / ".migrator"
    assert (folder / "stage.json").stat().st_mode & 0o444 == 0o444
    assert [path.name for path in folder.glob(".stage.json*")] == []


@pytest.mark.parametrize("stage", [DRAIN, AUTHER])
def test_no_stage_is_skipped(site: Switching, stage: Stage) -> None:
    with pytest.raises(UsageError) as error:
        set_stage(site, stage)
    assert error.value.hint == "the next stage is dual: migrator dual-path stage set dual"


def test_the_salt_is_made_once_and_the_epoch_only_grows(site: Switching) -> None:
    salts, epochs = set(), []
    for stage, percent in ((DUAL, 5.0), (DUAL, 50.0), (DRAIN, None), (DUAL, 10.0)):
        document = set_stage(site, stage, percent).document
        salts.add(document.salt)
        epochs.append(document.epoch)
    p2_dual_path.rollback(site.ctx)

    assert [*epochs, site.read().epoch] == [1, 2, 3, 4, 5]
    assert salts == {site.read().salt}


def test_the_epoch_grows_even_where_the_state_was_restored_from_a_backup(site: Switching) -> None:
    set_stage(site, DUAL)
    publish(site.ctx, replace(site.read(), epoch=41))

    set_stage(site, DUAL, 10)

    assert site.read().epoch == 42


def test_legacy_sessions_get_their_deadline_with_drain_and_keep_it(site: Switching) -> None:
    set_stage(site, DUAL)
    assert site.read().legacy_accept_until is None
    set_stage(site, DRAIN)
    deadline = site.read().legacy_accept_until
    assert deadline is not None
    set_stage(site, AUTHER)

    assert site.read().legacy_accept_until == deadline


@pytest.mark.parametrize("percent", [-1, 100.01, 0.001])
def test_a_percentage_outside_its_range_is_refused(site: Switching, percent: float) -> None:
    with pytest.raises(UsageError, match="--percent"):
        set_stage(site, DUAL, percent)


def test_a_percentage_means_something_in_dual_only(site: Switching) -> None:
    set_stage(site, DUAL)
    with pytest.raises(UsageError, match="means nothing in stage drain"):
        set_stage(site, DRAIN, 10)


def test_the_percentage_stays_when_it_is_not_named(site: Switching) -> None:
    set_stage(site, DUAL, 10)

    assert set_stage(site, DUAL).document.percent == 10
    assert site.read().epoch == 1, "nothing new had to be published"


def test_cohorts_stay_until_somebody_names_others(site: Switching) -> None:
    set_stage(site, DUAL)
    p2_dual_path.run(site.ctx, DUAL, percent=5, cohorts=("staff", "beta", "staff"))
    assert site.read().cohorts == ("beta", "staff")
    p2_dual_path.run(site.ctx, DUAL, percent=10)
    assert site.read().cohorts == ("beta", "staff")
    p2_dual_path.run(site.ctx, DUAL, cohorts=())
    assert stages.position(site.read()) == Position(DUAL, 10)
    p2_dual_path.rollback(site.ctx)
    assert site.read().cohorts == ("beta", "staff")


def test_a_cohort_moves_logins_so_readers_come_before_it(site: Switching) -> None:
    set_stage(site, DUAL)
    site.beat("web-2", epoch=0)
    with pytest.raises(HeldError, match="readers come before issuers"):
        p2_dual_path.run(site.ctx, DUAL, cohorts=("staff",))


@pytest.mark.parametrize(("stage", "cohort"), [(DUAL, "a b"), (DUAL, "x" * 65), (LEGACY, "staff")])
def test_cohorts_that_make_no_sense_are_refused(
    site: Switching, stage: Stage, cohort: str
) -> None:
    with pytest.raises(UsageError, match="--cohort"):
        p2_dual_path.run(site.ctx, stage, cohorts=(cohort,))


def test_the_route_says_what_guards_each_step_and_what_auther_has_to_bear(make: Make) -> None:
    site = make(auther="peak_sign_ins_per_s = 2.0")
    site.beat(epoch=FAR)
    legs = p2_dual_path.route(site.ctx)
    assert [str(leg.to) for leg in legs] == [
        *(f"dual {share} %" for share in (0, 1, 5, 10, 25, 50, 100)),
        "drain",
        "auther",
    ]
    assert [gate.gate for leg in legs for gate in leg.gates] == [
        "before-dual",
        "before-drain",
        "before-auther",
    ]
    assert [leg.sign_ins_per_s for leg in legs[:4]] == [0, 0.02, 0.1, 0.2]
    assert legs[0].command == "migrator dual-path stage set dual"
    assert legs[1].command == "migrator dual-path stage set dual --percent 1"
    assert "before-dual: pending" in " ".join(legs[0].held).lower()
    assert all(leg.fits is None for leg in legs)
    set_stage(site, DUAL)
    first = p2_dual_path.route(site.ctx)[0]
    assert str(first.to) == "dual 1 %"
    assert "nobody has measured how many sign-ins" in " ".join(first.held)


def test_a_lost_document_is_published_again(site: Switching) -> None:
    set_stage(site, DUAL, 10)
    (site.root / ".migrator" / "stage.json").unlink()
    assert p2_dual_path.verify(site.ctx) != ()

    set_stage(site, DUAL, 10)

    assert (site.read().epoch, site.read().percent) == (2, 10)


# What holds a step


def test_a_step_without_a_gate_is_held(make: Make) -> None:
    site = make(gates=())
    site.beat(epoch=FAR)
    with pytest.raises(HeldError, match="no gate guards dual"):
        run(site, DUAL)
    assert results(site) == []


@pytest.mark.parametrize(
    ("state", "error"), [(GateState.HELD, HeldError), (GateState.FAILED, RefusedError)]
)
def test_a_gate_that_did_not_pass_holds_or_refuses(
    site: Switching, state: GateState, error: type[Exception]
) -> None:
    site.pass_gates("dual", state)
    with pytest.raises(error):
        run(site, DUAL)


@pytest.mark.parametrize("seen", ["code", "tables"])
def test_bearers_of_others_hold_the_step_until_somebody_decided(
    site: Switching, seen: str
) -> None:
    action, facts = {
        "code": ("application", {"foreign_bearers": 2}),
        "tables": ("survey", {"warnings": ["other_bearers"]}),
    }[seen]
    with site.ctx.state.ledger.recorded("preflight", action) as outcome:
        outcome.update(facts)
    site.beat(epoch=FAR)
    with pytest.raises(HeldError, match="foreign_bearer"):
        set_stage(site, DUAL)
    decided = site.ctx.config.shim.model_copy(update={"foreign_bearer": "refuse"})
    config = site.ctx.config.model_copy(update={"shim": decided})
    assert set_stage(replace(site, ctx=replace(site.ctx, config=config)), DUAL).lagging == ()


def test_within_dual_the_percentage_moves_without_a_gate(site: Switching) -> None:
    set_stage(site, DUAL)
    site.pass_gates("dual", GateState.HELD)

    assert run(site, DUAL, 30).document.percent == 30


def test_readers_come_before_issuers(make: Make) -> None:
    site = make(expected="2")
    site.pass_gates("dual")
    site.beat("web-1")
    with pytest.raises(HeldError, match="1 of 2 expected instances are alive"):
        set_stage(site, DUAL)


def test_an_expected_instance_is_called_by_its_name(make: Make) -> None:
    site = make(expected='["web-1", "web-2"]')
    site.pass_gates("dual")
    site.beat("web-1")
    site.beat("web-2", age=timedelta(minutes=5))
    with pytest.raises(HeldError, match="web-2 was last heard of 5m ago"):
        set_stage(site, DUAL)


def test_no_further_login_moves_while_an_instance_is_behind(site: Switching) -> None:
    set_stage(site, DUAL)
    site.beat(epoch=0)
    with pytest.raises(HeldError, match="web-1 is at epoch 0"):
        set_stage(site, DUAL, 5)


def test_an_unreachable_database_holds_a_step_forward(
    site: Switching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLUB_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(HeldError, match="does not answer"):
        set_stage(site, DUAL)


def test_auther_waits_for_builds_that_fall_back_to_drain(site: Switching) -> None:
    set_stage(site, DUAL)
    site.beat(epoch=FAR, baked="dual")
    set_stage(site, DRAIN)
    with pytest.raises(HeldError, match=r"web-1 \(build 1\) falls back to dual"):
        set_stage(site, AUTHER)

    site.beat(epoch=FAR, baked="drain")
    assert set_stage(site, AUTHER).document.stage is AUTHER


def test_who_does_not_follow_in_time_is_named_and_the_document_is_out(make: Make) -> None:
    site = make(wait="0.1s")
    site.pass_gates("dual")
    site.beat(epoch=0)

    done = set_stage(site, DUAL)

    assert done.lagging == ("web-1 is at epoch 0 (dual, live)",)
    assert site.read().epoch == 1


def test_a_dry_run_names_every_obstacle_and_changes_nothing(make: Make) -> None:
    site = make()
    planned = p2_dual_path.plan(site.ctx, DUAL, percent=5)

    assert (planned.before, planned.after) == (Position(LEGACY, 0), Position(DUAL, 5))
    assert len(planned.held) == 2
    assert site.ctx.state.ledger.entries() == []
    assert stages.current(site.ctx) is None


def test_an_unwritable_folder_changes_nothing(site: Switching) -> None:
    (site.root / ".migrator" / "stage.json").mkdir()
    with pytest.raises(DependencyError):
        set_stage(site, DUAL)

    assert results(site) == ["not published"]
    assert stages.current(site.ctx) is None


def test_a_signing_key_that_others_can_read_is_not_used(site: Switching) -> None:
    (site.root / "stage.key").chmod(0o644)
    with pytest.raises(UsageError, match="other users may read"):
        set_stage(site, DUAL)


# Back
