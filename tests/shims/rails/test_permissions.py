"""Full delegation: what the token says of a permission, and what Auther is asked."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from migrator.conformance.issuer import Issuer
from migrator.shims.interface import ShimSettings
from tests.parts import require
from tests.parts.rails import RailsApp, prepare, settings_for

DRIVER = Path(__file__).with_name("permissions_driver.rb")


@dataclass
class Checker:
    """Answers /check-permission.

    Attributes:
        answers: One for each request to come: a JSON value, a status, or "slow".
        asked: Bodies and keys that came.
    """

    answers: list[Any] = field(default_factory=list)
    asked: list[tuple[dict[str, Any], str | None]] = field(default_factory=list)
    url: str = ""


@pytest.fixture(scope="module")
def checker() -> Iterator[Checker]:
    made = Checker()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            made.asked.append((body, self.headers.get("x-api-key")))
            answer = made.answers.pop(0)
            if answer == "slow":
                time.sleep(2)
            status = answer if isinstance(answer, int) else 200
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_args: Any) -> None:
            """Keep the console quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_port}/api/auth/check-permission"
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def app(checker: Checker) -> Iterator[RailsApp]:
    """The generated files in the application's folder; nothing runs."""
    require("rails")
    plain = settings_for(Issuer(port=9))

    def settings(port: int, key: str) -> ShimSettings:
        made = plain(port, key)
        return replace(made, delegate_permissions=True, check_permission_url=checker.url)

    made = prepare("postgres://nowhere", settings)
    yield made
    made.remove()


def ask(app: RailsApp, *questions: list[Any]) -> list[tuple[str, bool]]:
    done = subprocess.run(
        ["bundle", "exec", "ruby", "-Ilib", str(DRIVER)],
        cwd=app.folder,
        env=app.environment,
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        check=True,
    )
    return [(said, answer) for said, answer in json.loads(done.stdout)]


GRANTED = {"sub": "alice", "permissions": {"invoice": ["read"], "invoice:7": ["write"]}}


def test_the_token_decides_where_it_can(app: RailsApp, checker: Checker) -> None:
    checker.asked.clear()
    answers = ask(
        app,
        [GRANTED, "read", "invoice", "8"],
        [GRANTED, "write", "invoice", "7"],
        [GRANTED, "write", "invoice", "8"],
        [GRANTED, "read", "order", "7"],
        [{"sub": "alice", "permissions": {}}, "read", "invoice", "7"],
    )
    assert answers == [
        ("allowed", True),
        ("allowed", True),
        ("denied", False),
        ("denied", False),
        ("denied", False),
    ]
    assert checker.asked == []


def test_where_the_token_does_not_know_a_person_may_not_and_no_key_is_asked(
    app: RailsApp, checker: Checker
) -> None:
    checker.asked.clear()
    checker.answers = [{"allowed": True}]
    conditional = {**GRANTED, "abac_required": {"invoice:7": ["write"]}}
    answers = ask(
        app,
        [{"sub": "alice"}, "read", "invoice", "7", "the-key"],
        [conditional, "write", "invoice", "7", "the-key"],
        [{**GRANTED, "abac_required": True}, "write", "invoice", "7", "the-key"],
        [None, "read", "invoice", "7"],
    )
    assert answers == [("unknown", False)] * 4
    assert checker.asked == []


def test_a_program_may_what_its_own_key_may(app: RailsApp, checker: Checker) -> None:
    checker.asked.clear()
    checker.answers = [{"allowed": True}]
    assert ask(app, [None, "read", "invoice", "7", "the-key"]) == [("unknown", True)]
    asked = {"entityType": "invoice", "entityId": "7", "permission": "read"}
    assert checker.asked == [(asked, "the-key")]


def test_anything_but_a_yes_is_a_no(app: RailsApp, checker: Checker) -> None:
    answers = [{"allowed": False}, {"allowed": "yes"}, {}, [], 403, 500, "slow"]
    checker.answers = list(answers)
    questions = [[None, "read", "invoice", "7", "the-key"]] * len(answers)
    assert ask(app, *questions) == [("unknown", False)] * len(answers)
    assert checker.answers == []
