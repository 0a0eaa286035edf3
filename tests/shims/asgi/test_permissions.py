"""Permissions from the token's claims, and Auther's answer where they say nothing."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.shims.asgi.package import Package, imported
from tests.shims.golden import SETTINGS

EDIT = {"permissions": {"document": ["read"], "document:42": ["edit"]}}


@dataclass
class Authority:
    """Auther's check-permission on a port of its own."""

    answer: Any = None
    asked: list[tuple[str, Any]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def authority() -> Iterator[Authority]:
    made = Authority()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            made.asked.append((self.headers["x-api-key"], body))
            text = json.dumps(made.answer).encode()
            self.send_response(200 if made.answer is not None else 403)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            """Keep the console quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_port}/check-permission"
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def package(tmp_path: Path, authority: Authority) -> Iterator[Package]:
    yield from imported(
        tmp_path,
        replace(SETTINGS, delegate_permissions=True, check_permission_url=authority.url),
    )


def claimed(package: Package, claims: Any, permission: str, entity_id: str = "42") -> Any:
    return package.module("permissions").claimed(claims, permission, "document", entity_id)


@pytest.mark.parametrize(
    ("claims", "permission", "entity_id", "verdict"),
    [
        (EDIT, "edit", "42", "allowed"),
        (EDIT, "edit", "43", "denied"),
        (EDIT, "read", "43", "allowed"),
        (EDIT, "edit", "", "denied"),
        ({"permissions": {}}, "read", "42", "denied"),
        ({}, "read", "42", "unknown"),
        ({"permissions": ["read"]}, "read", "42", "unknown"),
        ({"permissions": {"document": "read"}}, "read", "42", "denied"),
        ({**EDIT, "abac_required": {"document:42": ["edit"]}}, "edit", "42", "unknown"),
        ({**EDIT, "abac_required": {"document": ["edit"]}}, "edit", "42", "unknown"),
    ],
)
def test_what_the_claims_say(
    package: Package, claims: Any, permission: str, entity_id: str, verdict: str
) -> None:
    assert claimed(package, claims, permission, entity_id) == verdict


def may(package: Package, claims: Any, *, key: str = "the-key") -> bool:
    settings = package.module("settings")
    api = package.module("auther_api").AutherApi(
        package.settings, settings.Environment(cookie_secret="c" * 32, api_key=key)
    )
    user = package.module("model").SignedIn("7", "header", "alice", claims)
    scope = {"auther.user": user}
    handle = SimpleNamespace(parts=SimpleNamespace(api=api), request=SimpleNamespace(scope=scope))
    scope["auther.dual_path"] = handle
    answer: bool = asyncio.run(package.module("permissions").may(scope, "edit", "document", "42"))
    return answer


def test_the_claims_are_enough_where_they_say_something(
    package: Package, authority: Authority
) -> None:
    assert may(package, EDIT)
    assert not may(package, {"permissions": {}})
    assert authority.asked == []


def test_auther_is_asked_where_they_say_nothing(package: Package, authority: Authority) -> None:
    authority.answer = {"allowed": True, "subjectType": "user", "subjectId": "alice"}
    assert may(package, {})
    key, asked = authority.asked[0]
    assert key == "the-key"
    assert (asked["permission"], asked["entityType"], asked["entityId"]) == (
        "edit",
        "document",
        "42",
    )


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        {"allowed": False, "subjectId": "alice"},
        {"allowed": "true", "subjectId": "alice"},
        {"allowed": True},
        {"allowed": True, "subjectType": "apikey", "subjectId": "the-keys-own-id"},
    ],
    ids=["refused", "empty", "no", "a text", "about nobody", "about the key"],
)
def test_whatever_else_it_answers_is_no(
    package: Package, authority: Authority, answer: Any
) -> None:
    authority.answer = answer
    assert not may(package, {})


def test_who_cannot_be_asked_has_not_said_yes(package: Package, authority: Authority) -> None:
    authority.answer = {"allowed": True, "subjectId": "alice"}
    assert not may(package, {}, key="")
    assert authority.asked == []
