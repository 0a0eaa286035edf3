"""Passwords that Auther lacks: given to it once, where the operator handed out the secret for that."""

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

PASSWORD = "right here, unknown there"


@dataclass
class Plugin:
    """The plugin's two endpoints, as far as this goes.

    Attributes:
        reason: Why `verify` says no.
        outcome: What `capture` says; None refuses.
        asked: Path, bearer and password of each call.
    """

    reason: str = "no_credential"
    outcome: str | None = "captured"
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, headers: Mapping[str, str], body: Any) -> tuple[int, Any]:
        """Answer a call."""
        self.asked.append((path, headers["authorization"], body["password"]))
        if path == "/verify":
            return 200, {"valid": False, "reason": self.reason}
        return (404, {}) if self.outcome is None else (200, {"outcome": self.outcome})


@pytest.fixture
def plugin() -> Iterator[Plugin]:
    made = Plugin()
    with answering(made.answer) as made.url:
        yield made


@pytest.fixture
def package(tmp_path: Path, plugin: Plugin) -> Iterator[Package]:
    yield from imported(tmp_path, replace(SETTINGS, plugin_url=plugin.url))


@dataclass
class Login:
    """What the shim counts and notes beside a login whose password was right here."""

    counted: list[tuple[str, ...]] = field(default_factory=list)
    noted: list[tuple[bool, str]] = field(default_factory=list)

    def count(self, *labels: str) -> None:
        """Take what is counted."""
        self.counted.append(labels)

    async def shadow_checked(self, _: str, *, matched: bool, reason: str) -> None:
        """Take what is noted."""
        self.noted.append((matched, reason))


def compared(package: Package, *, secret: str = "the capture secret") -> Login:
    environment = package.module("settings").Environment(
        cookie_secret="c" * 32, verify_secret="the verify secret", capture_secret=secret
    )
    login = Login()
    api = package.module("auther_api").AutherApi(package.settings, environment)
    handle = SimpleNamespace(parts=SimpleNamespace(api=api, counters=login, people=login))
    person = package.module("model").Person("7", "alice", home="legacy")
    asyncio.run(package.module("doors")._compare(handle, person, PASSWORD))
    return login


def test_a_password_that_auther_lacks_is_given_to_it(package: Package, plugin: Plugin) -> None:
    login = compared(package)

    assert plugin.asked[1] == ("/capture", "Bearer the capture secret", PASSWORD)
    assert login.counted == [("auth_captures", "captured"), ("auth_shadow_checks", "match")]
    assert login.noted == [(True, "")]


@pytest.mark.parametrize("reason", ["", "banned", "unverified", "pepper_missing", "not_ours"])
def test_one_that_it_has_another_opinion_of_stays_here(
    package: Package, plugin: Plugin, reason: str
) -> None:
    plugin.reason = reason

    login = compared(package)

    assert [path for path, _, _ in plugin.asked] == ["/verify"]
    assert login.counted == [("auth_shadow_checks", "mismatch")]
    assert login.noted == [(False, reason)]


def test_without_the_secret_nothing_is_given(package: Package, plugin: Plugin) -> None:
    compared(package, secret="")
    assert [path for path, _, _ in plugin.asked] == ["/verify"]


@pytest.mark.parametrize(("outcome", "counted"), [(None, "failed"), ("kept", "left")])
def test_what_auther_does_not_take_is_a_mismatch_as_before(
    package: Package, plugin: Plugin, outcome: str | None, counted: str
) -> None:
    plugin.outcome = outcome

    login = compared(package)

    assert login.counted == [("auth_captures", counted), ("auth_shadow_checks", "mismatch")]
    assert login.noted == [(False, "no_credential")]
