"""Gates on counted log lines: each fault holds, and no longer than it lasts."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from migrator.gates.verdict import GateState
from tests.parts.drain import Drain
from tests.parts.shim_process import ShimProcess
from tests.phases.gate_looks import is_good, is_held, is_passed, look, look_until, prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

LOGS = """
counters = "logs"
[[drain.logs]]
instance = "web-1"
files = "web-1.log"
[[drain.logs]]
instance = "web-2"
files = "web-2.log"
"""


@pytest.fixture
def drain(tmp_path: Path, fresh_db: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drain]:
    shims = tuple(
        ShimProcess(name, log_path=tmp_path / f"{name}.log").start() for name in ("web-1", "web-2")
    )
    for name in ("web-1", "web-2"):
        (tmp_path / f"{name}.log").touch()
    yield prepared(Drain(tmp_path, fresh_db, shims, LOGS), monkeypatch)
    for shim in shims:
        shim.kill()


def test_a_quiet_path_passes_and_one_legacy_request_fails(drain: Drain) -> None:
    look_until(drain, is_passed)
    drain.shims[1].count("legacy")
    failed = look(drain)
    assert (failed.state, failed.reason) == (GateState.FAILED, "1 is above 0")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("emptied", "AMBIGUOUS: web-2: a log file was taken away before its end was read"),
        ("spoilt", "AMBIGUOUS: web-2: a line that cannot be read: its count is too small"),
        ("muted", "UNPROVEN: web-2 did not count the marker (the shims took it"),
        ("no_file", "NO_DATA: no file is called"),
    ],
)
def test_a_fault_holds_while_it_lasts(drain: Drain, fault: str, reason: str) -> None:
    look_until(drain, is_good)
    with FAULTS[fault](drain):
        held = look(drain)
    assert is_held(held)
    assert held.reason.startswith(reason)
    look_until(drain, is_good)


def test_a_rotation_is_no_fault(drain: Drain) -> None:
    look_until(drain, is_good)
    log = drain.root / "web-2.log"
    drain.shims[1].count("auther", n=3)
    log.rename(drain.root / "web-2.log.1")
    assert is_good(look(drain))
    assert log.exists()


def test_a_missing_instance(drain: Drain) -> None:
    look_until(drain, is_good)
    drain.silence("web-2")
    held = look(drain)
    drain.wake("web-2")
    assert held.reason.startswith("UNPROVEN: web-2 was last heard of 2h")
    look_until(drain, is_good)


@contextmanager
def _emptied(drain: Drain) -> Iterator[None]:
    drain.shims[1].count("auther")
    (drain.root / "web-2.log").write_text("")
    yield


@contextmanager
def _spoilt(drain: Drain) -> Iterator[None]:
    with (drain.root / "web-2.log").open("a") as log:
        log.write('{"event":"auth","path":"leg\n')
    yield


@contextmanager
def _muted(drain: Drain) -> Iterator[None]:
    drain.shims[1].fault("mute")
    yield
    drain.shims[1].fault("")


@contextmanager
def _no_file(drain: Drain) -> Iterator[None]:
    drain.shims[1].fault("mute")
    (drain.root / "web-2.log").unlink()
    yield
    drain.shims[1].fault("")


FAULTS: dict[str, Callable[[Drain], AbstractContextManager[None]]] = {
    "emptied": _emptied,
    "spoilt": _spoilt,
    "muted": _muted,
    "no_file": _no_file,
}
