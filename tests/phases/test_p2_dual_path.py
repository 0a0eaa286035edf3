"""The switch: forward one stage at a time, back at once, never half-way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from migrator.core.errors import (
    ConflictError,
    DependencyError,
    HeldError,
    RefusedError,
    UsageError,
)
from migrator.core.stage import Stage
from migrator.gates.verdict import GateState
from migrator.runner import stages
from migrator.runner.stages import Position
from migrator.runner.switching.generating import FileState
from migrator.runner.switching.publishing import publish
from phases import p2_dual_path
from tests.phases.switching import Switching, make_switching

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.runner.switching.switch import Switched

LEGACY, DUAL, DRAIN, AUTHER = Stage
FAR = 1_000_000
Make = Callable[..., Switching]


@pytest.fixture
def make(tmp_path: Path, fresh_db: str, monkeypatch: pytest.MonkeyPatch) -> Make:
    return lambda **options: make_switching(tmp_path, fresh_db, monkeypatch, **options)


@pytest.fixture
def site(make: Make) -> Switching:
    """One instance that follows whatever is published, gates that have passed."""
    site = make()
    site.beat(epoch=FAR, baked="auther")
    for step in ("dual", "drain", "auther"):
        site.pass_gates(step)
    return site


def set_stage(site: Switching, stage: Stage, percent: float | None = None) -> Switched:
    """Move on, behind gates that pass again after each change of the stage."""
    site.pass_gates(stage)
    return run(site, stage, percent)


def run(site: Switching, stage: Stage, percent: float | None = None) -> Switched:
    return p2_dual_path.run(site.ctx, stage, percent=percent)


def results(site: Switching) -> list[str]:
    entries = site.ctx.state.ledger.entries(subject="stage")
    return [e.body["result"] for e in entries if e.kind == "outcome"]


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


def test_a_rollback_restores_stage_and_percentage_exactly(site: Switching) -> None:
    set_stage(site, DUAL, 12.34)
    set_stage(site, DUAL, 50)
    set_stage(site, DRAIN)

    for expected in (Position(DUAL, 50), Position(DUAL, 12.34), Position(LEGACY, 0)):
        p2_dual_path.rollback(site.ctx)
        assert stages.position(site.read()) == expected
    set_stage(site, DUAL, 7)
    p2_dual_path.rollback(site.ctx)
    assert stages.position(site.read()) == Position(LEGACY, 0)


def test_a_rollback_asks_no_gate_and_no_database(
    site: Switching, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_stage(site, DUAL, 10)
    set_stage(site, DUAL, 20)
    site.pass_gates("dual", GateState.FAILED)
    monkeypatch.setenv("CLUB_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")

    found = p2_dual_path.rollback(site.ctx)

    assert site.read().percent == 10
    assert found.moved_users is None
    assert found.done.lagging != ()


def test_a_rollback_counts_whose_password_is_at_auther(site: Switching) -> None:
    set_stage(site, DUAL, 10)
    site.move_home("1", "2")

    assert p2_dual_path.rollback(site.ctx).moved_users == 2


def test_a_rollback_takes_the_lock_from_whoever_holds_it(site: Switching) -> None:
    set_stage(site, DUAL, 10)
    with site.ctx.state.locks.held("stage") as lease:
        p2_dual_path.rollback(site.ctx)
        with pytest.raises(ConflictError):
            site.ctx.state.locks.check(lease)
    assert site.read().stage is LEGACY


def test_after_a_compromise_auther_is_refused_in_stage_legacy(site: Switching) -> None:
    set_stage(site, DUAL, 10)
    set_stage(site, DRAIN)

    p2_dual_path.rollback(site.ctx, stop_accepting=True)

    assert (site.read().stage, site.read().stop_accepting) == (LEGACY, True)
    for again in (lambda: set_stage(site, LEGACY), lambda: p2_dual_path.rollback(site.ctx)):
        again()
        assert (site.read().stage, site.read().stop_accepting) == (LEGACY, True)
    set_stage(site, DUAL)
    assert not site.read().stop_accepting


def test_there_is_no_way_back_past_removed_tables(site: Switching) -> None:
    set_stage(site, DUAL)
    set_stage(site, DRAIN)
    set_stage(site, AUTHER)
    site.ctx.state.checkpoints.put("remove", "applied", ["01_guard", "02_quarantine_tables"])

    for back in (lambda: p2_dual_path.rollback(site.ctx), lambda: set_stage(site, DUAL)):
        with pytest.raises(ConflictError) as error:
            back()
        assert error.value.hint.startswith("migrator remove revert")
    assert site.read().stage is AUTHER


def test_there_is_no_way_back_past_a_build_without_the_legacy_side(site: Switching) -> None:
    set_stage(site, DUAL)
    set_stage(site, DRAIN)
    site.beat(epoch=FAR, baked="drain", legacy_capable=False)
    with pytest.raises(ConflictError, match="no longer know legacy sessions: web-1"):
        set_stage(site, DUAL)


# Killed half-way

KILLED = """
import os, signal, sys
from pathlib import Path
from migrator.config.load import load
from migrator.core.clock import SystemClock
from migrator.core.progress import Progress
from migrator.core.stage import Stage
from migrator.runner.switching import switch
from migrator.runner.context import make_context
from phases import p2_dual_path

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

where = sys.argv[1]
if where == "before":
    switch.publish = die
else:
    switch.stages.remember = die
ctx = make_context(load(Path("migrator.toml")), root=Path.cwd(), clock=SystemClock(), progress=Progress())
if sys.argv[2] == "set":
    p2_dual_path.run(ctx, Stage.DUAL, percent=20)
else:
    p2_dual_path.rollback(ctx)
"""


def kill(site: Switching, action: str, *, where: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), where, action],
        cwd=site.root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == -signal.SIGKILL, ran.stderr


def test_killed_before_publishing_the_next_command_sees_that_nothing_happened(
    site: Switching,
) -> None:
    set_stage(site, DUAL, 10)
    kill(site, "set", where="before")
    assert "was interrupted" in p2_dual_path.show(site.ctx).faults[0]

    p2_dual_path.rollback(site.ctx)

    assert results(site) == ["published", "not published", "published"]
    assert stages.position(site.read()) == Position(LEGACY, 0)
    assert site.ctx.state.ledger.pending() == []


def test_killed_after_publishing_the_next_command_sees_the_effect(site: Switching) -> None:
    set_stage(site, DUAL, 10)
    kill(site, "set", where="after")
    assert site.read().percent == 20

    p2_dual_path.rollback(site.ctx)

    assert results(site) == ["published", "published", "published"]
    assert stages.position(site.read()) == Position(DUAL, 10)


def test_a_rollback_that_was_killed_is_finished_and_goes_no_further(site: Switching) -> None:
    set_stage(site, DUAL, 10)
    set_stage(site, DUAL, 20)
    kill(site, "rollback", where="after")
    assert site.read().percent == 10

    p2_dual_path.rollback(site.ctx)

    assert site.read().percent == 10
    assert stages.before(site.ctx) == Position(LEGACY, 0)


# Generate


def test_generated_files_carry_what_the_configuration_says(
    site: Switching, tmp_path: Path
) -> None:
    made = p2_dual_path.plan_files(site.ctx, "asgi", tmp_path / "app")
    p2_dual_path.generate(site.ctx, made)

    settings = (tmp_path / "app" / "auther_dual_path" / "settings.py").read_text()
    assert 'issuers=("https://id.example.org",)' in settings
    assert 'jwks_url="https://id.example.org/api/auth/jwks"' in settings
    assert 'baked_stage="dual"' in settings
    entry = site.ctx.state.ledger.latest("stage", "generate", kind="intent")
    assert entry is not None
    assert entry.body["content_hash"] == made.content_hash


def test_a_build_made_in_drain_falls_back_to_drain(site: Switching, tmp_path: Path) -> None:
    set_stage(site, DUAL)
    set_stage(site, DRAIN)
    made = p2_dual_path.plan_files(site.ctx, "asgi", tmp_path / "app")

    assert 'baked_stage="drain"' in made.texts["auther_dual_path/settings.py"]


def test_edited_files_are_kept_unless_forced(site: Switching, tmp_path: Path) -> None:
    out = tmp_path / "app"
    p2_dual_path.generate(site.ctx, p2_dual_path.plan_files(site.ctx, "asgi", out))
    edited = out / "auther_dual_path" / "answers.py"
    edited.write_text("# ours now\n")
    again = p2_dual_path.plan_files(site.ctx, "asgi", out)

    assert again.edited == ("auther_dual_path/answers.py",)
    with pytest.raises(RefusedError, match="edited by hand"):
        p2_dual_path.generate(site.ctx, again)
    assert edited.read_text() == "# ours now\n"

    p2_dual_path.generate(site.ctx, again, force=True)
    assert edited.read_text() != "# ours now\n"


def test_files_that_nobody_edited_are_renewed(tmp_path: Path) -> None:
    out = tmp_path / "app"
    made = p2_dual_path.plan_files(None, "asgi", out)
    older = replace(made, texts={**made.texts, "auther_dual_path/stage.py": "# older\n"})
    p2_dual_path.generate(None, older)

    again = p2_dual_path.plan_files(None, "asgi", out)

    assert again.states["auther_dual_path/stage.py"] is FileState.NEWER
    assert again.states["auther_dual_path/keys.py"] is FileState.SAME
    p2_dual_path.generate(None, again)
    assert json.loads((out / ".dual-path.json").read_text())["target"] == "asgi"


# Standing


def test_the_next_command_follows_the_stage(site: Switching, tmp_path: Path) -> None:
    def following() -> str:
        return p2_dual_path.standing(site.ctx).next_command

    assert following().startswith("migrator dual-path generate")
    p2_dual_path.generate(site.ctx, p2_dual_path.plan_files(site.ctx, "asgi", tmp_path / "app"))
    assert following() == "migrator dual-path stage set dual"
    set_stage(site, DUAL)
    assert following() == "migrator dual-path stage set dual --percent 1"
    set_stage(site, DUAL, 100)
    assert following() == ""
