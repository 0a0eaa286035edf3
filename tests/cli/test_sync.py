"""`migrator import sync` as a user types it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from phases import p1_import
from tests.cli.command import Ran, migrator
from tests.phases.importing import Site, make_site
from tests.phases.syncing import stored, touch, vanish

if TYPE_CHECKING:
    from pathlib import Path

Command = Callable[..., Ran]
WITHIN_S = 30


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = make_site(tmp_path, devise_db, monkeypatch, page_rows="500")
    p1_import.run(made.ctx)
    return made


@pytest.fixture
def command(site: Site) -> Command:
    return lambda *arguments: migrator(site.root, *arguments, env=dict(os.environ))


def test_a_pass_its_plan_its_brake_and_the_status(site: Site, command: Command) -> None:
    touch(site, 1, name="Another Name")
    planned = command("import", "sync", "--dry-run")
    assert (planned.code, "would change 1" in planned.out) == (0, True), planned
    ran = command("import", "sync")
    assert (ran.code, "0 rows and 0 s behind" in ran.out) == (0, True), ran
    assert "no index on updated_at" in ran.out
    assert stored(site, 1, "name") == ("Another Name",)

    vanish(site, *range(1, 30))
    held = command("import", "sync", "--full")
    assert held.code == 3
    assert "would ban or delete 29 of" in held.err
    again = held.err.rpartition("migrator ")[2].split()
    assert command(*again).code == 0
    assert stored(site, 1, "banned") == (1,)
    status = command("status", "--json")
    assert status.json["sync"]["rows"] == 0
    assert "sync: 0 rows and 0 s behind" in command("status").out


def test_watch_follows_until_it_is_ended(site: Site, command: Command) -> None:
    with (site.root / "migrator.toml").open("a", encoding="utf-8") as file:
        file.write('\n[sync]\ninterval = "0.2s"\n')
    watching = subprocess.Popen(
        [sys.executable, "-m", "migrator", "import", "sync", "--watch"],
        cwd=site.root,
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with watching:
        assert watching.stdout is not None
        assert "all users" in watching.stdout.readline(), "the first pass looks at everybody"
        for name in ("First", "Second"):
            touch(site, 1, name=name)
            until = time.monotonic() + WITHIN_S
            while stored(site, 1, "name") != (name,) and time.monotonic() < until:
                time.sleep(0.05)
            assert stored(site, 1, "name") == (name,)
        assert command("import", "run").code == 5, "the lock is held"
        watching.send_signal(signal.SIGINT)
        _, said = watching.communicate(timeout=WITHIN_S)
    assert (watching.returncode, said.splitlines()[-1]) == (0, "stopped")
    assert command("import", "sync").code == 0, "the lock is free"
