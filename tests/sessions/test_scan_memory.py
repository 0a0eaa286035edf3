"""A count of Redis that was killed goes on where it can, and says where it cannot."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.core.clock import ManualClock, SystemClock
from migrator.core.errors import DependencyError
from migrator.metrics.session_data import Holds
from migrator.runner.gating.census import take_census
from migrator.sessions import redis_server, redis_store
from migrator.sessions.key_tally import KINDS, KeyTally
from migrator.sessions.redis_server import RedisReader
from migrator.sessions.scan_memory import ScanMemory
from migrator.sessions.tally import Tally
from migrator.state.store import open_state
from tests.parts.drain import Drain
from tests.sessions.stores import ROWS

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.runner.context import Context
    from migrator.state.store import State
    from tests.parts.redis import RedisServer

pytestmark = pytest.mark.xdist_group("sessions")
AT = datetime(2026, 11, 23, 3, tzinfo=UTC)
REDIS = 'session_store = "redis"\nsessions.url = "env:SESSIONS_REDIS_URL"\n'
KEYS = 400


@pytest.fixture
def ctx(tmp_path: Path, redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Context:
    """A census of 400 keys, of which half hold a user, in batches of about 20 that are kept at once."""
    user, visitor = (b64decode(str(ROWS[name]["data"])) for name in ("user", "visitor"))
    with redis.connect() as client:
        client.mset(
            {f"session:2::{n}": user if n % 2 else visitor for n in range(KEYS)}  # type: ignore[arg-type]
        )
    monkeypatch.setattr(redis_server, "BATCH_KEYS", 20)
    monkeypatch.setattr(redis_store, "KEPT_EVERY_KEYS", 1)
    drain = Drain(tmp_path, "postgresql:///none", ())
    for name, value in drain.env.items():
        monkeypatch.setenv(name, value)
    drain.configure("")
    file = tmp_path / "migrator.toml"
    file.write_text(file.read_text().replace("[legacy]\n", f"[legacy]\n{REDIS}"))
    return drain.context(clock=SystemClock())


def killed(ctx: Context, monkeypatch: pytest.MonkeyPatch, *, after: int) -> None:
    """Take the census and die before a batch."""
    left, scan = [after], RedisReader.scan

    def dying(reader: RedisReader, cursor: int, prefix: str) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return scan(reader, cursor, prefix)

    with monkeypatch.context() as patch:
        patch.setattr(RedisReader, "scan", dying)
        with pytest.raises(KeyboardInterrupt):
            take_census(ctx)


def batches(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int, str]:
    """Take the census; give how many batches it read, how many sessions it counted, and what it says."""
    read, scan = [], RedisReader.scan

    def counting(reader: RedisReader, cursor: int, prefix: str) -> Any:
        read.append(cursor)
        return scan(reader, cursor, prefix)

    with monkeypatch.context() as patch:
        patch.setattr(RedisReader, "scan", counting)
        report = take_census(ctx)
    return len(read), report.read, report.note


def test_a_count_that_was_killed_goes_on_with_the_batches_that_are_left(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, counted, note = batches(ctx, monkeypatch)
    assert (counted, note) == (KEYS, "")
    killed(ctx, monkeypatch, after=5)
    killed(ctx, monkeypatch, after=3)
    left, counted, note = batches(ctx, monkeypatch)
    assert (left, counted) == (whole - 8, KEYS)
    assert note.startswith("went on with the count of 20")
    assert batches(ctx, monkeypatch) == (whole, KEYS, "")
    assert not ctx.path(ctx.root / ".migrator/census.scan").exists()


def test_on_a_server_that_was_started_anew_it_begins_anew_and_says_so(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = batches(ctx, monkeypatch)[0]
    killed(ctx, monkeypatch, after=5)
    stored = ctx.state.checkpoints.get("census", "scanned")
    ctx.state.checkpoints.put("census", "scanned", {**stored, "of": "another run id"})
    note = "began anew: another server, or it was restarted"
    assert batches(ctx, monkeypatch) == (whole, KEYS, note)


@pytest.fixture
def state(tmp_path: Path) -> State:
    return open_state("sqlite:state.db", root=tmp_path, clock=ManualClock(AT))


def test_what_is_too_old_or_gone_is_not_gone_on_with(state: State, tmp_path: Path) -> None:
    clock, file = ManualClock(AT), tmp_path / "census.scan"
    memory = ScanMemory(state.checkpoints, file, timedelta(minutes=2), clock)
    scan = memory.recall("one")
    scan.keys.add(b"a", Holds.USER, -1)
    scan.cursor = 7
    memory.keep(scan)
    assert file.stat().st_mode & 0o777 == 0o600
    clock.at += timedelta(minutes=2)
    assert memory.recall("one").cursor == 7
    clock.at += timedelta(seconds=1)
    old = memory.recall("one")
    assert (old.cursor, "is too old" in old.note) == (0, True)
    memory.keep(old)
    scan = memory.recall("one")
    scan.keys.add(b"a", Holds.USER, -1)
    memory.keep(scan)
    file.write_bytes(b"")
    assert memory.recall("one").note == "began anew: census.scan is gone"
    file.mkdir()
    with pytest.raises(DependencyError, match=r"census\.scan cannot be written"):
        memory.keep(scan)


@given(st.lists(st.tuples(st.binary(max_size=3), st.sampled_from(KINDS), st.integers(-1, 10**8))))
def test_what_was_kept_in_parts_counts_like_what_was_never_interrupted(
    added: list[tuple[bytes, Holds, int]],
) -> None:
    straight, parts = KeyTally(), KeyTally()
    again = KeyTally(parts.salt)
    kept = b""
    for number, (key, holds, left_ms) in enumerate(added):
        straight.add(key, holds, left_ms)
        parts.add(key, holds, left_ms)
        if number % 3 == 0:
            kept += parts.take_fresh()
    again.load(kept + parts.take_fresh())
    tallies = []
    for keys in (straight, again):
        tallies.append(Tally())
        keys.into(tallies[-1], at=AT)
    assert tallies[0].look() == tallies[1].look()
