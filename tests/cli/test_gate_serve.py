"""The gates' endpoint over real HTTP, as a deployment tool asks it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from migrator.gates.spec import specs_before
from migrator.gates.verdict import GateState, Verdict
from migrator.runner.gating.sampling import record
from tests.cli.command import migrator
from tests.runner.approvals import Team

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GATES = """
[[gates]]
name = "quiet"
before = "auther"
measure = "legacy_requests"
at_most = {at_most}
span = "1h"
[[gates]]
name = "busy"
before = "auther"
measure = "total_requests"
at_least = 1
span = "1h"
"""
TOKEN = "gate-token-of-the-tests"
pytestmark = pytest.mark.xdist_group("gate-serve")


class Served:
    """A migration, and the addresses at which its gates are asked."""

    def __init__(self, team: Team) -> None:
        self.team = team
        self.open = self.start()
        self.closed = self.start("--token", "env:GATE_TOKEN")

    def start(self, *options: str) -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "migrator",
                "gate",
                "serve",
                "--listen",
                "127.0.0.1:0",
                *options,
            ],
            cwd=self.team.root,
            env=os.environ | {"GATE_TOKEN": TOKEN},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on "), line
        return process, line.split()[-1].removesuffix("/gates/STEP")

    def judge(self, quiet: GateState, busy: GateState = GateState.PASSED) -> None:
        """Write verdicts as `gate check` does."""
        self.team.configure(more=GATES.format(at_most=0))
        ctx = self.team.context()
        until = datetime.now(UTC) + timedelta(hours=1)
        for spec, state in zip(specs_before(ctx.config, "auther"), (quiet, busy), strict=True):
            record(ctx, Verdict(spec, state, f"is {state}", good_until=until))

    def ask(self, path: str, *, method: str = "GET") -> httpx.Response:
        return httpx.request(method, self.open[1] + path, trust_env=False)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    team = Team(tmp_path_factory.mktemp("served"))
    team.configure(more=GATES.format(at_most=0))
    made = Served(team)
    yield made
    for process, _ in (made.open, made.closed):
        process.terminate()
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_all_passed_is_200_and_says_until_when(served: Served, method: str) -> None:
    served.judge(GateState.PASSED)
    answer = served.ask("/gates/auther", method=method)
    assert answer.status_code == 200
    found = answer.json()
    assert (found["allowed"], found["state"]) == (True, "PASSED")
    assert [gate["gate"] for gate in found["gates"]] == ["quiet", "busy"]
    assert all(gate["good_until"] for gate in found["gates"])
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "state", [s for s in GateState if not s.lets_through and s is not GateState.PENDING]
)
def test_anything_else_is_403_with_its_reason(served: Served, state: GateState) -> None:
    served.judge(state)
    answer = served.ask("/gates/auther")
    assert answer.status_code == 403
    assert f"quiet: {state}, is {state}" in answer.json()["reason"]
    assert served.ask("/gates/auther/quiet").status_code == 403
    assert served.ask("/gates/auther/busy").status_code == 200


@pytest.mark.parametrize("path", ["/gates/dual", "/gates/auther/other", "/gates/no-step"])
def test_no_gate_is_no_permission(served: Served, path: str) -> None:
    served.judge(GateState.PASSED)
    answer = served.ask(path)
    assert answer.status_code == 403
    assert "an empty list proves nothing" in answer.json()["reason"]


def test_a_gate_that_is_edited_meanwhile_no_longer_lets_through(served: Served) -> None:
    served.judge(GateState.PASSED)
    served.team.configure(more=GATES.format(at_most=5))
    answer = served.ask("/gates/auther")
    assert answer.status_code == 403
    assert "INVALIDATED" in answer.json()["reason"]


def test_an_override_lets_through_and_asking_does_not_spend_it(served: Served) -> None:
    served.judge(GateState.FAILED)
    overriding = ("gate", "override", "quiet", "--reason", "known", "--confirm", "quiet", "--json")
    ran = migrator(served.team.root, *overriding)
    assert ran.code == 0, ran.err
    for _ in range(2):
        answer = served.ask("/gates/auther")
        assert (answer.status_code, answer.json()["state"]) == (200, "OVERRIDDEN")


def test_without_a_readable_configuration_or_state_nothing_is_let_through(served: Served) -> None:
    served.judge(GateState.PASSED)
    config: Path = served.team.root / "migrator.toml"
    text = config.read_text()
    config.write_text(text + "[gates")
    broken = served.ask("/gates/auther")
    config.write_text(
        text.replace("[migration]", '[state]\nurl = "sqlite:/dev/null/x"\n[migration]')
    )
    away = served.ask("/gates/auther")
    config.write_text(text)
    assert (broken.status_code, away.status_code) == (403, 403)
    assert "cannot be opened" in away.json()["reason"]
    assert served.ask("/gates/auther").status_code == 200


@pytest.mark.parametrize("bearer", ["", "Bearer", "Bearer wrong", TOKEN, f"Basic {TOKEN}"])
def test_with_a_token_only_its_bearer_is_answered(served: Served, bearer: str) -> None:
    served.judge(GateState.PASSED)
    address = served.closed[1] + "/gates/auther"
    refused = httpx.get(address, headers={"Authorization": bearer}, trust_env=False)
    assert refused.status_code == 401
    assert refused.json() == {"allowed": False}
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert httpx.get(address, headers=right, trust_env=False).status_code == 200


def test_a_page_that_another_name_leads_here_is_not_answered(served: Served) -> None:
    served.judge(GateState.PASSED)
    address = served.open[1] + "/gates/auther"
    rebound = httpx.get(address, headers={"Host": "evil.example:8600"}, trust_env=False)
    assert (rebound.status_code, rebound.json()) == (421, {"allowed": False})
    named = httpx.get(address.replace("127.0.0.1", "localhost"), trust_env=False)
    assert named.status_code == 200


def test_a_page_of_another_site_is_not_answered(served: Served) -> None:
    served.judge(GateState.PASSED)
    foreign = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    answer = httpx.post(served.open[1] + "/gates/auther", headers=foreign, trust_env=False)
    assert (answer.status_code, answer.json()) == (403, {"allowed": False})


def test_a_token_that_can_be_guessed_is_refused(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATE_TOKEN", "x" * 19)
    short = migrator(served.team.root, "gate", "serve", "--token", "env:GATE_TOKEN")
    assert (short.code, "fewer than 20 characters" in short.err) == (2, True)


def test_beyond_this_machine_it_needs_a_token(served: Served) -> None:
    refused = migrator(served.team.root, "gate", "serve", "--listen", "0.0.0.0:0")
    assert (refused.code, "that needs a token" in refused.err) == (2, True)


def test_other_paths_and_methods_are_not_answered(served: Served) -> None:
    assert served.ask("/").status_code == 404
    assert served.ask("/gates/auther", method="DELETE").status_code == 405
    assert json.loads(served.ask("/gates/auther/quiet").text)["step"] == "auther"
