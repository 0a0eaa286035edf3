"""`migrator dual-path verify` as an operator runs it, against the Starlette application."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from migrator.core.stage import Stage
from migrator.shims.document import verify
from tests.cli.command import Ran, migrator
from tests.parts.asgi import CALLBACK_PATH, AsgiApp, prepare
from tests.parts.postgres import PostgresServer
from tests.shims.asgi.test_conformance import PROFILE
from tests.shims.conformance import Deployment
from tests.shims.conforming import prepared

pytestmark = pytest.mark.xdist_group("conformance-asgi")
PATIENCE_S = 30


@dataclass(frozen=True)
class Operator:
    """A folder with its configuration, and a deployment that runs."""

    deployment: Deployment
    app: AsgiApp

    def run(self, *arguments: str, url: str = "") -> Ran:
        return migrator(
            self.deployment.root,
            *("dual-path", "verify", "--url", url or self.app.base_url, *arguments),
            env=self.deployment.environment,
        )

    def published(self) -> Stage | None:
        stage = self.app.stage
        if not stage.path.exists():
            return None
        return verify(stage.path.read_text(), stage.public_key).stage


@pytest.fixture(scope="module")
def operator(
    postgres: PostgresServer, devise_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operator]:
    with postgres.temporary_database(template=devise_template) as dsn:
        deployment = Deployment(tmp_path_factory.mktemp("operator"), dsn, PROFILE)
        app = prepared(prepare, dsn, deployment)
        try:
            app.start()
            deployment.write(app.stage, redirect_uri=app.base_url + CALLBACK_PATH)
            yield Operator(deployment, app)
        finally:
            app.remove()


def test_passing_cases_end_with_0_and_the_stage_is_as_before(operator: Operator) -> None:
    ran = operator.run("--only", "tokens/alg-none", "--only", "auther/header", "--json")

    assert (ran.code, ran.json["counts"]) == (0, {"passed": 2, "failed": 0, "not run": 0})
    assert operator.published() is Stage.LEGACY


def test_a_run_right_after_another_waits_for_its_own_keys(operator: Operator) -> None:
    for _ in range(2):
        ran = operator.run("--only", "legacy/header")
        assert ran.code == 0, ran.out


def test_people_see_groups_and_a_sum(operator: Operator) -> None:
    ran = operator.run("--only", "tokens/alg-*", "--only", "legacy/header")

    assert ran.code == 0, ran.out
    rows = [line.split() for line in ran.out.splitlines()]
    assert ["tokens", "7"] in rows
    assert ["legacy", "1"] in rows
    assert "8 passed, 0 failed, 0 not run" in ran.out


def test_a_failure_says_everything_and_ends_with_1(operator: Operator) -> None:
    profile = operator.deployment.root / "profile.toml"
    profile.write_text('whoami = "/healthz"\n')
    ran = operator.run("--only", "dual/header", "--profile", str(profile))

    assert ran.code == 1
    for words in (
        "FAILED dual/header",
        "rule:      stage dual: both are accepted: header gives user alice",
        "sent:      GET /healthz; Authorization: Bearer <token>",
        "expected:  200, and the user is alice",
        "came back: 200 ok",
        "mend:      compare",
    ):
        assert words in ran.out, ran.out


def test_what_cannot_be_run_is_said_by_name_and_ends_with_3(operator: Operator) -> None:
    profile = operator.deployment.root / "profile.toml"
    profile.write_text('whoami = "/me"\n')
    ran = operator.run("--only", "csrf/header-needs-none", "--profile", str(profile))

    assert ran.code == 3
    assert "NOT RUN: the profile has no [verify.post]" in ran.out
    assert "  csrf/header-needs-none" in ran.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--only", "tokens/alg-nothing"), "no case is called tokens/alg-nothing"),
        (("--profile", "nowhere.toml"), "there is no nowhere.toml"),
    ],
)
def test_a_wrong_command_ends_with_2(
    operator: Operator, arguments: tuple[str, ...], message: str
) -> None:
    ran = operator.run(*arguments)

    assert ran.code == 2
    assert message in ran.err


def test_an_application_that_does_not_answer_ends_with_4(operator: Operator) -> None:
    ran = operator.run("--only", "dual", url="http://127.0.0.1:1")

    assert ran.code == 4
    assert "no answer (ConnectError)" in ran.err


def test_an_application_with_another_stage_document_is_not_waited_for_in_each_case(
    operator: Operator, tmp_path: Path
) -> None:
    root = operator.deployment.root
    config = (root / "migrator.toml").read_text()
    elsewhere = config.replace(str(operator.app.stage.path), str(tmp_path / "stage.json"))
    (root / "elsewhere.toml").write_text(elsewhere)
    began = time.monotonic()
    ran = migrator(
        root,
        *("--config", "elsewhere.toml", "dual-path", "verify", "--url", operator.app.base_url),
        *("--only", "dual/*", "--only", "auther/*", "--json"),
        env=operator.deployment.environment,
    )

    assert (ran.code, ran.json["counts"]["passed"]) == (3, 0)
    reasons = {case["reason"] for case in ran.json["cases"]}
    assert len(reasons) == 1
    assert "did not follow epoch" in reasons.pop()
    assert time.monotonic() - began < PATIENCE_S


def test_the_list_needs_no_configuration(operator: Operator) -> None:
    ran = migrator(operator.deployment.root.parent, "dual-path", "verify", "--list", "--json")

    assert ran.code == 0
    assert {"name": "tokens/alg-none", "stage": "dual"}.items() <= next(
        one for one in ran.json if one["name"] == "tokens/alg-none"
    ).items()


def test_ctrl_c_puts_the_stage_back(operator: Operator) -> None:
    command = ("-m", "migrator", "dual-path", "verify", "--url", operator.app.base_url)
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=operator.deployment.root,
        env=os.environ | operator.deployment.environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + PATIENCE_S
    while operator.published() is not Stage.DUAL and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 130, said
    assert operator.published() is Stage.LEGACY
    ledger = migrator(
        operator.deployment.root, "ledger", "show", "--json", env=operator.deployment.environment
    )
    last = json.loads(ledger.out)[-1] if ledger.out.startswith("[") else ledger.json["entries"][-1]
    assert (last["subject"], last["kind"], last["body"]["result"]) == (
        "verify",
        "outcome",
        "interrupted",
    )
