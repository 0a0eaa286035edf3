"""Permissions from the token's claims, and Auther's answer where they say nothing."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.shims.asgi.answering import answering
from tests.shims.asgi.package import Package, imported
from tests.shims.golden import SETTINGS

EDIT = {"permissions": {"document": ["read"], "document:42": ["edit"]}}


@dataclass
class Authority:
    """Auther's check-permission on a port of its own."""

    answer: Any = None
    asked: list[tuple[str, Any]] = field(default_factory=list)
    url: str = ""

    def take(self, _: str, headers: Mapping[str, str], body: Any) -> tuple[int, Any]:
        """Take a question; without an answer it is refused."""
        self.asked.append((headers["x-api-key"], body))
        return (403, {}) if self.answer is None else (200, self.answer)


@pytest.fixture
def authority() -> Iterator[Authority]:
    made = Authority()
    with answering(made.take) as made.url:
        yield made


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
        ({**EDIT, "abac_required": True}, "edit", "42", "unknown"),
    ],
)
def test_what_the_claims_say(
    package: Package, claims: Any, permission: str, entity_id: str, verdict: str
) -> None:
    assert claimed(package, claims, permission, entity_id) == verdict


def may(package: Package, claims: Any, *, key: str = "") -> bool:
    """Ask for a person with claims, for nobody when they are None, beside a program's key."""
    settings = package.module("settings")
    api = package.module("auther_api").AutherApi(
        package.settings, settings.Environment(cookie_secret="c" * 32)
    )
    user = None if claims is None else package.module("model").SignedIn("7", "header", "a", claims)
    headers = [(b"x-api-key", key.encode())] if key else []
    scope: dict[str, Any] = {"type": "http", "path": "/", "headers": headers, "auther.user": user}
    request = package.module("request").Request(scope)
    scope["auther.dual_path"] = SimpleNamespace(parts=SimpleNamespace(api=api), request=request)
    answer: bool = asyncio.run(package.module("permissions").may(scope, "edit", "document", "42"))
    return answer


def test_a_persons_claims_decide_and_no_key_is_asked(
    package: Package, authority: Authority
) -> None:
    authority.answer = {"allowed": True}
    assert may(package, EDIT)
    assert not may(package, {"permissions": {}}, key="the-key")
    assert not may(package, {}, key="the-key")
    assert authority.asked == []


def test_a_program_may_what_its_own_key_may(package: Package, authority: Authority) -> None:
    authority.answer = {"allowed": True}
    assert may(package, None, key="the-key")
    asked = {"entityType": "document", "entityId": "42", "permission": "edit"}
    assert authority.asked == [("the-key", asked)]


@pytest.mark.parametrize("answer", [None, {}, {"allowed": False}, {"allowed": "true"}])
def test_whatever_else_it_answers_is_no(
    package: Package, authority: Authority, answer: Any
) -> None:
    authority.answer = answer
    assert not may(package, None, key="the-key")


def test_nobody_without_a_key_may_nothing(package: Package, authority: Authority) -> None:
    authority.answer = {"allowed": True}
    assert not may(package, None)
    assert authority.asked == []
