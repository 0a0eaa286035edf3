"""Phase 2 backwards, killed half-way, and the files that it generates."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.core.errors import (
    ConflictError,
    RefusedError,
)
from migrator.core.progress import Progress
from migrator.core.queries import load
from migrator.gates.verdict import GateState
from migrator.runner import stages
from migrator.runner.stages import Position
from migrator.runner.switching.generating import FileState
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
    set_stage,
)

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.core.stage import Stage

LOST = load("migrator.legacy", "written_back.sql")["create"].format(log="migrator_write_back") + (
    "; INSERT INTO migrator_write_back (event_id, source, auther_id, user_pk, kind, concerns, at,"
    " outcome, state) VALUES ('e', 'User', 'auther-1', '1', 'password', 'password', now(),"
    " 'sealed_expired', 'lost')"
)


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
    assert found.hurt.moved_users is None
    assert found.done.lagging != ()


def test_a_rollback_counts_whose_password_is_at_auther(site: Switching) -> None:
    set_stage(site, DUAL, 10)
    site.move_home("1", "2")

    assert p2_dual_path.rollback(site.ctx).hurt.moved_users == 2


def test_a_rollback_says_first_who_could_not_sign_in_afterwards(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make()
    site.beat(epoch=FAR, baked="auther")
    set_stage(site, DUAL, 10)
    site.move_home("1", "2")
    with psycopg.connect(site.dsn, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE users (id bigint PRIMARY KEY, email text, encrypted_password text)"
        )
        connection.execute("INSERT INTO users VALUES (1, 'ann@example.org', 'x')")
        connection.execute(LOST)
    said: list[tuple[str, Stage]] = []
    monkeypatch.setattr(
        Progress, "say", lambda _, line: said.append((line, stages.position(site.read()).stage))
    )

    planned = p2_dual_path.plan_rollback(site.ctx)
    assert "of them could not sign in as usual after the rollback: 1" in planned.hurt
    found = p2_dual_path.rollback(site.ctx)

    assert found.hurt.pending is not None
    assert found.hurt.pending.users == 1
    before = [line for line, stage in said if stage is DUAL]
    assert "of them could not sign in as usual after the rollback: 1" in before
    assert "  user 1 (a…n@e…e.org): the sealed password was not fetched within 24 h" in before
    assert "changes at Auther that nobody has read yet: unknown" in before


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
    site.ctx.state.checkpoints.put("remove", "applied", ["01_guard", "05_quarantine_tables"])

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
