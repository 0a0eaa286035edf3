"""The way back while the state is away, and how the ledger learns of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from migrator.core.errors import ConflictError, DependencyError
from migrator.runner import stages
from migrator.runner.stages import Position
from migrator.runner.switching import publishing, way_back
from migrator.state.errors import StateUnreachableError
from migrator.state.store import no_state
from phases import p2_dual_path
from tests.cli.command import migrator
from tests.phases.switching import AUTHER, DRAIN, DUAL, FAR, LEGACY, Switching, set_stage

if TYPE_CHECKING:
    from migrator.runner.context import Context


@pytest.fixture
def moved(site: Switching) -> Switching:
    """Three steps forward, the last within `dual`."""
    set_stage(site, DUAL, 12.34)
    p2_dual_path.run(site.ctx, DUAL, percent=50, cohorts=("staff",))
    p2_dual_path.run(site.ctx, DUAL, percent=75)
    return site


def without_state(site: Switching) -> Context:
    return replace(site.ctx, state=no_state(site.ctx.clock))


def spool_of(site: Switching) -> list[dict[str, object]]:
    path = site.root / ".migrator" / "stage-spool.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def chain_holds(site: Switching) -> bool:
    there = site.read()
    head = (there.ledger_head, there.ledger_length)
    return site.ctx.state.ledger.verify(known_head=head) == []


def test_it_restores_exactly_what_the_ledger_would_say(moved: Switching) -> None:
    away = without_state(moved)
    restored = []
    for _ in range(3):
        done = p2_dual_path.rollback(away).done
        assert done.document == moved.read()
        restored.append(stages.position(moved.read()))
    assert restored == [
        Position(DUAL, 50, cohorts=("staff",)),
        Position(DUAL, 12.34),
        Position(LEGACY, 0),
    ]
    assert moved.read().epoch == 6
    assert moved.read().salt == stages.salt(moved.ctx)


def test_the_ledger_takes_the_spool_in_and_goes_on_from_there(moved: Switching) -> None:
    p2_dual_path.rollback(without_state(moved))
    assert [entry["kind"] for entry in spool_of(moved)] == ["intent", "outcome"]
    assert p2_dual_path.verify(moved.ctx) != ()

    done = p2_dual_path.rollback(moved.ctx).done

    assert stages.position(done.document) == Position(DUAL, 12.34)
    assert spool_of(moved) == []
    assert chain_holds(moved)
    assert p2_dual_path.verify(moved.ctx) == ()
    p2_dual_path.run(moved.ctx, DUAL, percent=20)
    assert stages.before(moved.ctx) == Position(DUAL, 12.34)


def test_two_of_them_count_as_two(moved: Switching) -> None:
    for _ in range(2):
        p2_dual_path.rollback(without_state(moved))
    p2_dual_path.run(moved.ctx, DUAL, percent=20)
    assert chain_holds(moved)
    p2_dual_path.rollback(moved.ctx)
    p2_dual_path.rollback(moved.ctx)
    assert stages.position(moved.read()) == Position(LEGACY, 0)


@pytest.mark.parametrize("kind", ["edited", "foreign"])
def test_a_spool_that_somebody_changed_is_not_taken_in(moved: Switching, kind: str) -> None:
    p2_dual_path.rollback(without_state(moved))
    path = moved.root / ".migrator" / "stage-spool.jsonl"
    text = path.read_text()
    path.write_text(text.replace("50", "51") if kind == "edited" else "{}\n")
    with pytest.raises(ConflictError):
        p2_dual_path.run(moved.ctx, DUAL, percent=80)


def test_killed_before_the_document_is_out_it_begins_anew(
    moved: Switching, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("migrator.runner.switching.stateless.publish", _die)
        with pytest.raises(KeyboardInterrupt):
            p2_dual_path.rollback(without_state(moved))
    assert stages.position(moved.read()).percent == 75
    p2_dual_path.rollback(without_state(moved))
    assert stages.position(moved.read()).percent == 50
    p2_dual_path.rollback(moved.ctx)
    assert stages.position(moved.read()).percent == 12.34
    assert chain_holds(moved)


def test_killed_after_the_document_was_out_it_goes_no_further_back(
    moved: Switching, monkeypatch: pytest.MonkeyPatch
) -> None:
    def publish_and_die(*arguments: object) -> None:
        publishing.publish(*arguments)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("migrator.runner.switching.stateless.publish", publish_and_die)
        with pytest.raises(KeyboardInterrupt):
            p2_dual_path.rollback(without_state(moved))
    p2_dual_path.rollback(without_state(moved))
    assert stages.position(moved.read()).percent == 50
    p2_dual_path.run(moved.ctx, DUAL, percent=60)
    assert stages.before(moved.ctx).percent == 50
    assert chain_holds(moved)


def test_a_state_that_goes_away_after_the_document_was_out_is_no_second_step(
    moved: Switching, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object, **__: object) -> None:
        raise StateUnreachableError("gone")

    with monkeypatch.context() as patched:
        patched.setattr("migrator.runner.switching.switch.stages.remember", lost)
        found = p2_dual_path.rollback(moved.ctx)
    assert stages.position(found.done.document).percent == 50
    assert found.done.before.percent == 75
    assert spool_of(moved) == []
    p2_dual_path.run(moved.ctx, DUAL, percent=60)
    assert chain_holds(moved)


def test_after_a_compromise_authers_credentials_are_refused_without_the_state_too(
    moved: Switching,
) -> None:
    p2_dual_path.rollback(without_state(moved), stop_accepting=True)
    assert stages.position(moved.read()) == Position(LEGACY, 0, stop_accepting=True)


def test_where_the_way_back_is_not_known_it_is_the_stage_before(site: Switching) -> None:
    site.beat(epoch=FAR, baked="auther")
    for stage in (DUAL, DRAIN, AUTHER):
        set_stage(site, stage)
    (site.root / ".migrator" / "stage-way-back.json").unlink()
    until = site.read().legacy_accept_until
    p2_dual_path.rollback(without_state(site))
    assert stages.position(site.read()) == Position(DRAIN, 100, until)
    p2_dual_path.rollback(without_state(site))
    assert stages.position(site.read()) == Position(DUAL, 100)


def test_a_removal_closes_this_way_back_too(moved: Switching) -> None:
    way_back.note_removal(moved.ctx, "05_quarantine_tables")
    with pytest.raises(ConflictError, match="05_quarantine_tables"):
        p2_dual_path.rollback(without_state(moved))
    way_back.note_removal(moved.ctx, "")
    p2_dual_path.rollback(without_state(moved))


def test_without_state_and_document_nothing_is_guessed(moved: Switching) -> None:
    (moved.root / ".migrator" / "stage.json").unlink()
    with pytest.raises(DependencyError, match="neither the state nor"):
        p2_dual_path.rollback(without_state(moved))


def test_on_the_command_line_a_broken_state_is_no_obstacle(moved: Switching) -> None:
    state = moved.root / ".migrator" / "state.db"
    kept = state.read_bytes()
    for path in state.parent.glob("state.db*"):
        path.unlink()
    state.write_bytes(b"this is no database" * 100)
    planned = migrator(
        moved.root, "dual-path", "stage", "rollback", "--dry-run", "--json", env=ENVIRONMENT
    )
    assert planned.json["after"]["percent"] == 50
    ran = migrator(moved.root, "dual-path", "stage", "rollback", env=ENVIRONMENT)
    assert ran.code in {0, 3}, ran.err
    assert "goes back without the state" in ran.err
    assert stages.position(moved.read()).percent == 50
    state.write_bytes(kept)
    assert migrator(moved.root, "dual-path", "stage", "show", env=ENVIRONMENT).code == 3


ENVIRONMENT = {"MIGRATION_KEY": "k" * 32}


def _die(*_: object) -> None:
    raise KeyboardInterrupt
