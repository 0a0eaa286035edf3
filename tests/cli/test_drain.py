from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.command import Ran, migrator
from tests.parts.drain import NO_SESSIONS, QUIET, Drain
from tests.parts.shim_process import CONTROL_SECRET, METRICS_TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.parts.shim_fixtures import Pair

WAIT = ("gate", "check", "--before", "auther", "--wait", "--for", "60s")


@pytest.fixture
def drain(tmp_path: Path, fresh_db: str, shims: Pair) -> Drain:
    parts = Drain(tmp_path, fresh_db, shims)
    parts.prepare()
    return parts


def run(drain: Drain, *arguments: str) -> Ran:
    ran = migrator(drain.root, *arguments, env=drain.env | {"COLUMNS": "80"})
    for secret in (METRICS_TOKEN, CONTROL_SECRET, drain.dsn):
        assert secret not in ran.out + ran.err
    return ran


def verdicts(drain: Drain) -> list[dict[str, Any]]:
    shown = run(drain, "ledger", "show", "--json").json
    entries = shown["entries"] if isinstance(shown, dict) else shown
    return [entry["body"] for entry in entries if entry["subject"] == "gate"]


def test_one_look_tells_it_on_one_plain_screen(drain: Drain) -> None:
    drain.sign_in("user", rows=12)
    drain.sign_in("visitor", rows=3)
    drain.shims[0].count("legacy", n=12_345)
    drain.shims[1].count("legacy", client="app", n=7)
    ran = run(drain, "drain", "status")
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in ran.out
    assert "sessions  12 hold a user, 0 another model's, 3 nobody, 0 undecodable" in lines
    assert "clients   of legacy requests: browser 12.3k +?, app 7 +?, api 0" in lines
    assert "marker    counted by 2 of 2 scraped instances" in lines
    assert "coverage  2 alive, expected web-1, web-2; 2 of 2 addresses scraped" in lines
    assert lines[-1] == "next: migrator gate check --before auther --wait"


def test_the_same_for_programs(drain: Drain) -> None:
    drain.sign_in("admin")
    found = run(drain, "drain", "status", "--json").json
    assert (found["stage"], found["step"], found["controlled"]) == ("drain", "auther", 2)
    assert found["sessions"] == {
        "holding": 0,
        "others": 1,
        "anonymous": 0,
        "undecodable": 0,
        "doubts": found["sessions"]["doubts"],
        "endless": 0,
        "unseen": 0,
    }
    (doubt,) = found["sessions"]["doubts"]
    assert doubt.startswith("no session with a user was ever found in public.sessions")


def test_a_status_with_every_source_away_still_answers(drain: Drain) -> None:
    for shim in drain.shims:
        shim.kill()
    away = drain.env | {"LEGACY_DATABASE_URL": "postgresql://app:hunter2@127.0.0.1:9/none"}
    ran = migrator(drain.root, "drain", "status", env=away)
    assert ran.code == 0, ran.err
    assert "does not answer" in ran.out
    assert "hunter2" not in ran.out + ran.err
    assert len(ran.out.splitlines()) <= 24


def test_checking_once_holds_and_says_when_to_look_again(drain: Drain) -> None:
    ran = run(drain, "gate", "check", "--before", "auther")
    assert ran.code == 3
    assert "quiet (before auther): HELD" in ran.out
    assert "NO_DATA: the first look only sets where counting begins" in ran.out
    assert "next look at" in ran.out
    assert ran.out.rstrip().endswith("together: HELD")
    assert [body["state"] for body in verdicts(drain)] == ["HELD"]


def test_waiting_ends_with_the_pass_and_the_verdict_is_in_the_ledger(drain: Drain) -> None:
    ran = run(drain, *WAIT)
    assert ran.code == 0, ran.out + ran.err
    assert "together: PASSED" in ran.out
    assert [body["state"] for body in verdicts(drain)] == ["PASSED"]
    assert run(drain, "ledger", "verify").code == 0
    assert "good until" in run(drain, "gate", "list").out


def test_waiting_ends_with_the_first_breach(drain: Drain) -> None:
    run(drain, "gate", "check")
    drain.shims[0].count("legacy", n=4)
    ran = run(drain, *WAIT, "--json")
    assert ran.code == 1
    assert ran.json["decision"] == "FAILED"
    assert ran.json["gates"][0]["reason"] == "4 is above 0"


def test_waiting_for_data_that_never_comes_is_held(drain: Drain) -> None:
    drain.shims[1].kill()
    ran = run(drain, "gate", "check", "--wait", "--for", "1s")
    assert ran.code == 3
    assert f"{drain.shims[1].address} does not answer" in ran.out


def test_no_gate_is_held_and_an_unknown_one_is_a_usage_error(drain: Drain) -> None:
    drain.configure("")
    ran = run(drain, "gate", "check", "--before", "auther", "--wait")
    assert ran.code == 3
    assert ran.out == "HELD: no gate guards auther; an empty list proves nothing\n"
    ran = run(drain, "gate", "check", "quite")
    assert (ran.code, "no gate is called quite; there are: none" in ran.err) == (2, True)


def test_a_missing_secret_is_a_usage_error_that_names_it(drain: Drain) -> None:
    ran = migrator(drain.root, "drain", "status", env={"LEGACY_DATABASE_URL": drain.dsn})
    assert ran.code == 2
    assert "env:MIGRATOR_METRICS_TOKEN is empty or not set" in ran.err


def test_listing_measures_nothing_and_writes_nothing(drain: Drain) -> None:
    drain.configure(QUIET + NO_SESSIONS)
    found = run(drain, "gate", "list", "--json").json
    assert [(row["gate"], row["state"]) for row in found["gates"]] == [
        ("quiet", "PENDING"),
        ("no-sessions", "PENDING"),
    ]
    assert verdicts(drain) == []


def test_a_watch_goes_on_while_a_source_is_away_and_passes_when_it_is_back(drain: Drain) -> None:
    watching = _start(drain, "drain", "watch", "--interval", "0.3s", "--for", "60s")
    assert watching.stdout is not None
    _read_until(watching, "ACCUMULATING")
    drain.shims[0].kill()
    _read_until(watching, "quiet HELD")
    drain.shims[0].start()
    _read_until(watching, "quiet PASSED")
    watching.send_signal(signal.SIGINT)
    assert watching.wait(30) == 0
    watching.stdout.close()
    states = [body["state"] for body in verdicts(drain)]
    assert states[0] == "HELD"
    assert states[-1] == "PASSED"


def test_a_watch_that_is_stopped_early_is_held_and_keeps_its_samples(drain: Drain) -> None:
    watching = _start(drain, "drain", "watch", "--interval", "30s", "--before", "auther")
    _read_until(watching, "quiet HELD")
    watching.send_signal(signal.SIGINT)
    assert watching.wait(30) == 3
    assert watching.stdout is not None
    watching.stdout.close()
    assert len(drain.context().state.samples.of("quiet")) == 1


def test_a_watch_of_so_many_looks_ends_by_itself(drain: Drain) -> None:
    ran = run(drain, "drain", "watch", "--interval", "0.2s", "--count", "2")
    assert ran.code == 3
    assert len(ran.out.splitlines()) == 2


def test_a_gate_watch_tells_each_change_once_and_ends_when_it_is_decided(drain: Drain) -> None:
    ran = run(drain, "gate", "watch", "--before", "auther", "--json", "--for", "60s")
    assert ran.code == 0, ran.err
    changes = [json.loads(line) for line in ran.out.splitlines()]
    labels = [change["gate"]["label"] for change in changes]
    assert labels[0] == "HELD"
    assert labels[-1] == "PASSED"
    assert len(labels) == len(set(labels))
    assert changes[-1]["decision"] == "PASSED"
    assert [body["state"] for body in verdicts(drain)][-1] == "PASSED"


def test_a_gate_watch_that_is_stopped_is_held(drain: Drain) -> None:
    drain.shims[0].kill()
    watching = _start(drain, "gate", "watch", "--before", "auther")
    _read_until(watching, "quiet HELD: ERROR")
    watching.send_signal(signal.SIGINT)
    assert watching.wait(30) == 3
    assert watching.stdout is not None
    watching.stdout.close()


def test_a_store_that_is_written_to_no_more_is_shown_and_acknowledged(drain: Drain) -> None:
    asked = ("gate", "acknowledge", "--sessions")
    never = run(drain, *asked)
    assert (never.code, "no session with a user was ever found" in never.err) == (3, True)
    drain.sign_in("user")
    assert run(drain, *asked).code == 0
    drain.end_sessions()
    shown = run(drain, *asked)
    assert shown.code == 3
    assert "public.sessions: 0 sessions hold a user, 0 nobody" in shown.out
    assert "written to last: nobody can tell when" in shown.out
    done = run(drain, *shown.out.splitlines()[-1].removeprefix("next: migrator ").split())
    assert (done.code, "its silence is acknowledged" in done.out) == (0, True)


def test_of_two_gate_watches_one_acts_and_the_other_takes_over_when_it_dies(drain: Drain) -> None:
    drain.configure(QUIET.replace('span = "0.4s"', 'span = "10m"'))
    first, second = (_start(drain, "gate", "watch", "--before", "auther") for _ in range(2))
    for watching in (first, second):
        _read_until(watching, "quiet ")
    locks = drain.context().state.locks
    holder, samples = str(locks.holder("watch")), drain.context().state.samples.of("quiet")
    acting, following = (first, second) if holder.endswith(f":{first.pid}") else (second, first)
    assert holder.endswith(f":{acting.pid}")
    taken = [sample.at for sample in samples]
    assert all(b - a > timedelta(seconds=0.1) for a, b in pairwise(taken))
    acting.kill()
    # Until somebody takes note of its end, a killed process still counts as alive.
    acting.wait()
    _wait_for(lambda: str(locks.holder("watch")).endswith(f":{following.pid}"))
    drain.shims[0].count("legacy")
    assert following.wait(60) == 1
    assert [body["state"] for body in verdicts(drain)].count("FAILED") == 1
    for watching in (first, second):
        assert watching.stdout is not None
        watching.stdout.close()


def _wait_for(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.05)


def _start(drain: Drain, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "migrator", *arguments],
        cwd=drain.root,
        env=os.environ | drain.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _read_until(watching: subprocess.Popen[str], wanted: str) -> None:
    assert watching.stdout is not None
    ends, seen = time.monotonic() + 60, []
    while time.monotonic() < ends:
        seen.append(watching.stdout.readline())
        if wanted in seen[-1]:
            return
    raise AssertionError(json.dumps(seen))


def test_health_is_told_on_plain_lines_and_as_json(drain: Drain) -> None:
    drain.shims[0].count("legacy", n=50)
    ran = run(drain, "drain", "health")
    assert ran.code == 0, ran.err
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "  error_ratio           unknown  every instance was seen in 0%" in ran.out
    rows = run(drain, "drain", "health", "--json").json["rows"]
    assert {row["measure"] for row in rows} >= {"error_ratio", "sign_in_success", "sign_in_load"}


def test_rules_and_dashboard_are_written_as_files(drain: Drain) -> None:
    folder = drain.root / "monitoring"
    assert run(drain, "drain", "rules", "--out", str(folder), "--dry-run").code == 0
    assert not folder.exists()
    assert run(drain, "drain", "rules", "--out", str(folder)).code == 0
    assert run(drain, "drain", "grafana", "--out", str(folder / "board.json")).code == 0
    written = {path.name for path in folder.iterdir()}
    assert written == {"migrator-rules.yml", "migrator-rules.test.yml", "board.json"}
    blocked = run(drain, "drain", "grafana", "--out", str(drain.root / "migrator.toml" / "x"))
    assert (blocked.code, "check --out" in blocked.err) == (4, True)
