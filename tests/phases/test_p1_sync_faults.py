"""The sync when something goes wrong: brakes, kills, lost servers, others who write at the same time."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from migrator.auther.ways.sql_target import SqlTarget
from migrator.core.errors import ConflictError, DependencyError, HeldError
from migrator.legacy.followed import FollowedTable
from migrator.runner.interruption import Interruption
from migrator.runner.syncing import commands
from migrator.runner.syncing.passes import PassReport, Wish
from migrator.runner.syncing.standing import Standing
from phases import p1_import
from tests.phases.importing import Site, make_site
from tests.phases.syncing import (
    OTHER_HASH,
    loosen_brakes,
    password,
    quarantined,
    stored,
    sync,
    touch,
    vanish,
)

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 6
SEED = 20261123
CUT = "UPDATE users SET encrypted_password = rpad(left(encrypted_password, 29), 60, '.')"


OTHER = "UPDATE users SET encrypted_password = overlay(encrypted_password PLACING 'other' FROM 40)"


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = make_site(tmp_path, devise_db, monkeypatch, identities="public.identities")
    p1_import.run(made.ctx)
    return made


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (f"{CUT} WHERE encrypted_password LIKE '$2%'", "change the password of"),
        ("UPDATE users SET encrypted_password = ''", "change the password of"),
        ("UPDATE users SET deleted_at = now()", "ban or delete"),
        ("SET session_replication_role = replica; DELETE FROM users", "ban or delete"),
    ],
)
def test_mass_damage_stops_at_the_brake_before_anything_is_written(
    site: Site, damage: str, said: str
) -> None:
    touch(site, 1, name="Waits too")
    site.sql(damage)
    before, watermark = site.content(), Standing(site.ctx).watermark
    with pytest.raises(HeldError, match=said) as held:
        sync(site, full=True)
    assert held.value.exit_code == 3
    assert site.content() == before
    assert Standing(site.ctx).watermark == watermark
    assert (site.root / ".migrator" / "sync-brake.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_released_brake_lets_exactly_that_set_through_even_after_a_kill(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = loosen_brakes(site, max_bans_share=0.005)
    vanish(site, *range(1, 11))
    with pytest.raises(HeldError) as held:
        sync(site, full=True)
    digest = held.value.hint.rpartition(" ")[2]

    def dies(*_args: object) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(SqlTarget, "change", dies)
    with pytest.raises(KeyboardInterrupt):
        sync(site, full=True, release=digest)
    monkeypatch.undo()
    monkeypatch.setenv("LEGACY_DATABASE_URL", site.dsn)
    monkeypatch.setenv("MIGRATION_KEY", "k" * 40)
    assert sync(site, full=True, release=digest).wrote["banned"] == 10
    assert not (site.root / ".migrator" / "sync-brake.jsonl").exists()
    assert sync(site, full=True).waiting == 0
    assert site.ctx.state.ledger.pending() == []


def test_who_is_changed_at_auther_at_the_same_time_is_tried_again_then_listed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = SqlTarget.change

    def overtaken(target: SqlTarget, changes: Any) -> list[str]:
        for each in changes:
            query = "UPDATE \"user\" SET name = name || '!' WHERE id = ?"
            site.auther(query, each.before.user.id)
        return change(target, changes)

    touch(site, 1, encrypted_password=OTHER_HASH)
    monkeypatch.setattr(SqlTarget, "change", overtaken)
    assert sync(site).lag.rows == 1
    assert quarantined(site) == {}
    # The watermark has moved on meanwhile; the user is not forgotten.
    (now,) = site.sql("SELECT clock_timestamp()")[0]
    Standing(site.ctx).move_watermark(now)
    report = sync(site)
    assert (report.lag.rows, report.holds) == (1, False)
    assert quarantined(site) == {"1": "changed_at_auther_meanwhile"}
    monkeypatch.setattr(SqlTarget, "change", change)
    assert sync(site).holds
    assert (password(site, 1) or "").endswith(OTHER_HASH)
    assert quarantined(site) == {}


def test_a_server_that_fails_over_in_mid_read_ends_the_pass_and_watch_goes_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = site.content()
    touch(site, 1, name="Changed")
    records, left = FollowedTable.records, [2]

    def failing(followed: FollowedTable, pks: Any) -> Any:
        if left[0]:
            left[0] -= 1
            site.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'migrator' AND datname = current_database()"
            )
        return records(followed, pks)

    monkeypatch.setattr(FollowedTable, "records", failing)
    with pytest.raises(DependencyError) as lost:
        sync(site)
    assert lost.value.exit_code == 4
    assert site.content() == before

    interruption, shown = Interruption(), []

    def show(report: PassReport) -> None:
        shown.append(report)
        interruption.requested = True

    began = site.ctx.clock.now()
    last = commands.watch(site.ctx, Wish(), interruption=interruption, show=show)
    assert shown == [last]
    assert site.ctx.clock.now() - began >= site.ctx.config.sync.interval
    assert stored(site, 1, "name") == ("Changed",)


def test_watch_sweeps_when_it_is_time(site: Site) -> None:
    interruption, shown = Interruption(), []

    def show(report: PassReport) -> None:
        shown.append(report.full)
        site.ctx.clock.sleep(600)
        interruption.requested = len(shown) == 8

    commands.watch(site.ctx, Wish(), interruption=interruption, show=show)
    assert shown == [True, False, False, False, False, False, True, False]


def test_only_one_runner_works_on_the_import(site: Site) -> None:
    with site.ctx.state.locks.held("import"), pytest.raises(ConflictError):
        sync(site)


@dataclass
class Snapshot:
    """Both sides and our state as they were, to begin again from there."""

    site: Site

    def take(self) -> None:
        shutil.copy(self.site.auther_db, self.site.root / "auther.before")
        shutil.copytree(self.site.root / ".migrator", self.site.root / "state.before")
        self.site.sql("CREATE TABLE identity_before AS TABLE migrator_identity")

    def restore(self) -> Site:
        site = self.site
        site.ctx.state.engine.dispose()
        shutil.copy(site.root / "auther.before", site.auther_db)
        shutil.rmtree(site.root / ".migrator")
        shutil.copytree(site.root / "state.before", site.root / ".migrator")
        site.sql("TRUNCATE migrator_identity")
        site.sql("INSERT INTO migrator_identity SELECT * FROM identity_before")
        return site


# Kills itself within milliseconds of its so-manieth write, wherever it then is.
RUN = """
import os, random, signal, sys, threading, time
from pathlib import Path
from tests.phases.importing import NOW
from migrator.auther.ways.sql_target import SqlTarget
from migrator.config.load import load
from migrator.core.clock import ManualClock
from migrator.core.progress import Progress
from migrator.legacy.followed import FollowedTable
from migrator.legacy.identity import IdentityTable
from migrator.runner.context import make_context
from migrator.runner.syncing.passes import Wish
from migrator.state.checkpoints import Checkpoints
from migrator.runner.syncing import commands

root, deadly, wait_s = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
writes = 0

def die():
    time.sleep(wait_s)
    os.kill(os.getpid(), signal.SIGKILL)

def counted(write):
    def wrapped(*args, **kwargs):
        global writes
        writes += 1
        if writes != deadly:
            return write(*args, **kwargs)
        dying = threading.Thread(target=die)
        dying.start()
        written = write(*args, **kwargs)
        # A busy machine may let the rest be written before it lets this one die.
        if not wait_s:
            dying.join()
        return written
    return wrapped

for owner, name in (
    (SqlTarget, "change"), (SqlTarget, "write"), (FollowedTable, "record"), (FollowedTable, "forget"),
    (IdentityTable, "claim"), (Checkpoints, "put"),
):
    setattr(owner, name, counted(getattr(owner, name)))
ctx = make_context(
    load(root / "migrator.toml"), root=root, clock=ManualClock(NOW), progress=Progress()
)
commands.sync(ctx, Wish(full=True))
print(writes)
"""
BRAKES_OFF = "\n[sync]\nmax_bans_share = 1.0\nmax_bans = 1000\nmax_passwords_share = 1.0\ndeletes = 'delete'\n"


def change_much(site: Site) -> None:
    site.sql(f"{OTHER}, updated_at = now() WHERE id % 3 = 0 AND encrypted_password LIKE '$2%'")
    site.sql("UPDATE users SET name = name || ' II' WHERE id % 5 = 0")
    site.sql("UPDATE users SET email = 'swap' || id || '@example.org' WHERE id BETWEEN 20 AND 60")
    vanish(site, *range(61, 90))
    site.sql(
        "INSERT INTO users (id, email, encrypted_password, confirmed_at, created_at, updated_at)"
        " SELECT 9000 + n, 'new' || n || '@example.org', %s, now(), now(), now()"
        " FROM generate_series(1, 40) AS n",
        OTHER_HASH,
    )


def test_killed_at_random_moments_it_ends_row_for_row_like_an_uninterrupted_run(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path, devise_db, monkeypatch, page_rows="5")
    with (site.root / "migrator.toml").open("a") as file:
        file.write(BRAKES_OFF)
    p1_import.run(site.ctx)
    change_much(site)
    snapshot = Snapshot(site)
    snapshot.take()
    writes = run_killed(site)
    wanted, listed = site.content(), quarantined(site)

    snapshot.restore()
    assert site.content() != wanted
    moments = random.Random(SEED)
    ends = []
    for _ in range(KILLS):
        deadly = moments.randrange(1, writes // KILLS)
        assert not run_killed(site, deadly, wait_s=moments.random() * 0.01)
        ends.append(site.content())
    assert ends[0] != ends[-1] != wanted, "every kill comes in the middle"
    run_killed(site)
    assert site.content() == wanted
    assert quarantined(site) == listed
    assert site.ctx.state.ledger.pending() == []
    assert p1_import.verify(site.ctx).holds()


def run_killed(site: Site, deadly: int = 0, *, wait_s: float = 0.0) -> int:
    """Make a full pass in a process of its own that is killed soon after its so-manieth write.

    Returns:
        How many writes it made, 0 when it was killed.
    """
    command = [sys.executable, "-c", RUN, str(site.root), str(deadly), str(wait_s)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == (-signal.SIGKILL if deadly else 0), ran.stderr
    return 0 if deadly else int(ran.stdout.splitlines()[-1])
