"""Killed with -9 before and after every effect, the write-back ends like a quiet one."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from migrator.core.stage import Stage
from tests.runner.writing_back.test_newcomers import NEW, NEWCOMER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runner.writing_back.conftest import Make
    from tests.runner.writing_back.scene import Scene

KEPT = ("users", "migrator_identity")


def change_everything(scene: Scene) -> None:
    scene.new_password(1, "first")
    scene.new_password(1, "second")
    scene.tell("email", scene.auther_id(2), email="two@example.org", email_verified=True)
    scene.tell("email", scene.auther_id(3), email="member4@example.org", email_verified=True)
    scene.tell("sign_up", NEWCOMER, email="new@example.org", sealed=scene.sealed("n", NEWCOMER))
    scene.tell("password", scene.auther_id(5), sealed_expired=True)
    scene.tell("ban", scene.auther_id(6))


def state(scene: Scene) -> dict[str, list[Any]]:
    """Everything but the times at which we wrote."""
    users = "SELECT to_jsonb(u) - 'updated_at' - 'created_at' FROM users u ORDER BY id"
    links = "SELECT to_jsonb(i) FROM migrator_identity i ORDER BY user_pk"
    log = (
        "SELECT to_jsonb(l) - 'settled_at' - 'acknowledged_at', acknowledged_at IS NULL"
        " FROM migrator_write_back l ORDER BY event_id"
    )
    events = "SELECT identifier, value FROM verification ORDER BY identifier"
    cursor = scene.site.ctx.state.checkpoints.get("write-back", "cursor")
    return {
        "users": scene.site.sql(users),
        "links": scene.site.sql(links),
        "log": scene.site.sql(log),
        "events": scene.site.auther(events),
        "cursor": [cursor],
    }


def remember(scene: Scene) -> None:
    for table in KEPT:
        scene.site.sql(f"CREATE TABLE before_{table} AS SELECT * FROM {table}")
    scene.site.auther("CREATE TABLE before_events AS SELECT * FROM verification")


def put_back(scene: Scene) -> None:
    undo = "SET session_replication_role = replica; DROP TABLE migrator_write_back; "
    undo += "".join(f"DELETE FROM {t}; INSERT INTO {t} SELECT * FROM before_{t}; " for t in KEPT)
    scene.site.sql(undo)
    scene.site.auther("DELETE FROM verification")
    scene.site.auther("INSERT INTO verification SELECT * FROM before_events")
    scene.site.ctx.state.checkpoints.drop("write-back", "cursor")


def run_killed(root: Path) -> int:
    """Let it be killed around every effect until it ends; give how many runs were killed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.runner.writing_back.kill_driver", str(root)],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


def test_killed_around_every_effect_it_ends_like_a_quiet_run(make: Make) -> None:
    scene = make(NEW)
    scene.enter(Stage.DUAL)
    change_everything(scene)
    # A sequence does not go back when a transaction does.
    scene.site.sql("ALTER TABLE users ALTER COLUMN id SET DEFAULT 5000")
    remember(scene)
    scene.write_back()
    quiet = state(scene)
    assert len(quiet["log"]) == 7
    put_back(scene)

    assert run_killed(scene.site.root) > 40
    assert state(scene) == quiet
    assert scene.signs_in(1, "second")
    assert not [e for e in scene.site.ctx.state.ledger.pending() if e.subject == "write-back"]
