"""The write-back as a user types it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from psycopg.conninfo import make_conninfo

from migrator.auther.webhook.delivery import ID, SIGNATURE, TIMESTAMP, Trust, sign
from migrator.auther.webhook.endpoint import MAX_BYTES, PATH
from migrator.core.clock import SystemClock
from migrator.core.stage import Stage
from migrator.runner.writing_back.ringing import describe
from tests.cli.command import Ran, migrator
from tests.parts.postgres import free_port
from tests.runner.writing_back.scene import Scene, make_scene

if TYPE_CHECKING:
    from pathlib import Path

Command = Callable[..., Ran]
CLERK = "write_back_clerk"
PATIENCE_S = 60


@pytest.fixture
def scene(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Scene:
    made = make_scene(tmp_path, devise_db, monkeypatch, clock=SystemClock())
    made.enter(Stage.DUAL)
    return made


@pytest.fixture
def command(scene: Scene) -> Command:
    return lambda *words: migrator(
        scene.site.root, "import", "write-back", *words, env=dict(os.environ)
    )


def test_who_is_hurt_is_listed_first_then_written_then_nobody_is_left(
    scene: Scene, command: Command
) -> None:
    scene.new_password(1, "fresh word 1")
    scene.tell("email", scene.auther_id(2), email="member3@example.org", email_verified=True)
    asked = command("--pending")
    assert asked.code == 3, asked.err
    assert "2 changes are not read yet (1 email, 1 password; the oldest " in asked.out
    assert asked.out.rstrip().endswith("next: migrator import write-back")
    dry = command("--dry-run", "--json")
    assert (dry.code, dry.json["unread"]["events"], dry.json["clear"]) == (0, 2, False)
    assert not scene.signs_in(1, "fresh word 1")

    ran = command()
    assert ran.code == 3, ran.err
    assert "1  written" in ran.out
    assert "1  email_collision   another row has that address" in ran.out
    assert scene.signs_in(1, "fresh word 1")

    asked = command("--pending")
    assert "held  email     user 2 (m…2@e…e.org): another row has that address" in asked.out
    assert "member2@example.org" not in asked.out
    assert "member2@example.org" in command("--pending", "--show-emails").out
    status = migrator(scene.site.root, "status", env=dict(os.environ)).out
    assert "ago; 1 people could not go back" in status
    scene.site.sql("UPDATE users SET email = 'gone@example.org' WHERE id = 3")
    ran = command("--json")
    assert (ran.code, ran.json["outcomes"], ran.json["open_users"]) == (0, {"written": 1}, 0)
    asked = command("--pending")
    assert (asked.code, asked.out.splitlines()[-1]) == (
        0,
        "everything that changed at Auther is in the application",
    )


def test_a_right_that_is_missing_is_named_with_its_grant(
    scene: Scene, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = scene.site.sql
    sql(f"CREATE ROLE {CLERK} LOGIN PASSWORD 'clerk'")
    try:
        sql(f"GRANT SELECT, UPDATE ON migrator_identity TO {CLERK}")
        sql(f"GRANT CREATE ON SCHEMA public TO {CLERK}")
        sql(f"GRANT SELECT, UPDATE (email) ON users TO {CLERK}")
        dsn = make_conninfo(scene.site.dsn, user=CLERK, password="clerk")
        monkeypatch.setenv("LEGACY_DATABASE_URL", dsn)
        scene.new_password(1, "fresh word 1")
        ran = command()
        assert ran.code == 1, ran.err
        assert "the role of legacy.dsn may not write public.users" in ran.err
        grant = ran.err.partition("next: ")[2].strip()
        assert grant.startswith('GRANT UPDATE ("encrypted_password", "unconfirmed_email", ')
        sql(grant)
        assert command().code == 0
        assert scene.signs_in(1, "fresh word 1")
    finally:
        sql(f"DROP OWNED BY {CLERK}")
        sql(f"DROP ROLE {CLERK}")


def test_watching_writes_within_seconds_and_ends_on_ctrl_c(scene: Scene) -> None:
    with watching(scene) as process:
        wait_until(lambda: scene.site.ctx.state.locks.holder("write-back") is not None)
        scene.new_password(1, "fresh word 1")
        wait_until(lambda: scene.signs_in(1, "fresh word 1"))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    assert json.loads(out)["outcomes"] == {"written": 1}
    assert err.rstrip().endswith("stopped; the same command goes on")
    assert scene.site.ctx.state.ledger.pending() == []
    last = scene.site.ctx.state.ledger.latest("write-back", kind="outcome")
    assert last is not None
    assert last.body["outcomes"] == {"written": 1}


def test_deliveries_of_auther_are_taken_and_the_doctor_knows_how_they_come(scene: Scene) -> None:
    port, trust = free_port(), Trust("whsec_" + "7" * 32, "timestamp.body", timedelta(hours=1))
    file = scene.site.root / "migrator.toml"
    settings = f'[webhook]\nlisten = "127.0.0.1:{port}"\nsecret = "file:webhook.secret"\n'
    file.write_text(f"{file.read_text()}\n{settings}")
    secret = scene.site.root / "webhook.secret"
    secret.write_text(trust.secret)
    secret.chmod(0o600)
    url = f"http://127.0.0.1:{port}{PATH}"
    told = {"id": f"evt_{'7' * 32}", "type": "user.updated", "data": {}}
    body, at = json.dumps(told).encode(), str(int(time.time() * 1000))
    headers = {ID: told["id"], TIMESTAMP: at}
    good, forged = headers | {SIGNATURE: sign(body, at, trust)}, headers | {SIGNATURE: "0" * 64}
    with watching(scene) as process:
        wait_until(lambda: listens(port))
        assert httpx.post(url, content=body, headers=forged).json() == {"error": "bad_signature"}
        assert httpx.post(url, content=body, headers=good).status_code == 204
        assert httpx.post(url, content=body, headers=good).status_code == 204
        assert httpx.post(url, content=b"a" * (MAX_BYTES + 1), headers=good).status_code == 413
        assert httpx.get(url).status_code == 405
        wait_until(lambda: "too_large" in str(describe(scene.site.ctx)))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    assert trust.secret not in err
    believed, said = describe(scene.site.ctx) or (False, "")
    assert believed
    assert said.startswith("user.updated came ")
    assert said.endswith(
        "signed over timestamp.body (1 again, 1 bad_signature, 1 new, 1 too_large)"
    )


def test_listening_without_a_secret_is_refused(scene: Scene, command: Command) -> None:
    file = scene.site.root / "migrator.toml"
    file.write_text(f'{file.read_text()}\n[webhook]\nlisten = "127.0.0.1:0"\n')
    ran = command("--watch")
    assert (ran.code, "[webhook] secret is not set" in ran.err) == (2, True), ran.err


def test_an_address_that_is_none_is_named_where_it_was_written(
    scene: Scene, command: Command
) -> None:
    file = scene.site.root / "migrator.toml"
    file.write_text(f'{file.read_text()}\n[webhook]\nlisten = "8787"\n')
    ran = command("--watch")
    assert (ran.code, "[webhook] listen 8787: write an address" in ran.err) == (2, True), ran.err


def test_an_auther_that_is_away_is_waited_for(scene: Scene) -> None:
    file = scene.site.root / "migrator.toml"
    text = file.read_text().replace('events = "database"', 'events = "endpoint"')
    file.write_text(text.replace("[auther]", '[auther]\nbase_url = "http://127.0.0.1:9"'))
    secret = scene.site.root / ".migrator" / "plugin-events.secret"
    secret.write_text("s" * 32)
    secret.chmod(0o600)
    with watching(scene) as process:
        assert process.stderr is not None
        said = ""
        while "trying again in 4 s" not in said:
            said = process.stderr.readline()
            assert said, "it ended"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0


def watching(scene: Scene) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "migrator", "import", "write-back", "--watch", "--json"]
    return subprocess.Popen(
        words,
        cwd=scene.site.root,
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.1)
