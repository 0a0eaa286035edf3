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
