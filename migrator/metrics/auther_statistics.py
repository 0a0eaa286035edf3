"""Asks the plugin at Auther what it counted, and what is stored there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

from migrator.core.redact import scrub
from migrator.metrics.both_sides import AutherLook, PasswordsLook
from migrator.metrics.calling import client_for
from migrator.metrics.interface import Doubt, Grade

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

STATISTICS_PATH = "/migrator/statistics"
_WHY: dict[int, str] = {
    httpx.codes.UNAUTHORIZED: ": another secret than [plugin] statistics_secret",
    httpx.codes.NOT_FOUND: ": no plugin there, or without MIGRATOR_SECRET_STATISTICS",
}
_OLDER = "the plugin at Auther is older than this migrator: migrator import plugin"


class Statistics(NamedTuple):
    """Where the plugin answers.

    Attributes:
        api: Base of better-auth's HTTP API.
        timeout: For an answer.
    """

    api: str
    secret: str
    timeout: timedelta

    def ask(self, *, counts: bool) -> Mapping[str, Any] | Doubt:
        """Get its answer; with counts it reads every account."""
        headers = {"Authorization": f"Bearer {self.secret}"}
        params = {} if counts else {"counts": "0"}
        name = scrub(self.api)
        try:
            with client_for(self.timeout) as client:
                answer = client.get(self.api + STATISTICS_PATH, params=params, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Doubt(Grade.ERROR, f"Auther at {name} does not answer ({type(error).__name__})")
        if answer.status_code != httpx.codes.OK:
            why = _WHY.get(answer.status_code, "")
            return Doubt(Grade.ERROR, f"Auther at {name} answers {answer.status_code}{why}")
        try:
            found = answer.json()
        except ValueError:
            found = None
        if isinstance(found, dict):
            return found
        return Doubt(Grade.ERROR, f"Auther at {name}: the answer is no JSON object")


@dataclass(frozen=True)
class AutherCounters:
    """What happened at Auther since its process began; costs it nothing."""

    statistics: Statistics

    def look(self) -> AutherLook:
        """Ask once."""
        found = self.statistics.ask(counts=False)
        if isinstance(found, Doubt):
            return AutherLook(doubts=(found,))
        try:
            return _auther_look(found)
        except (KeyError, TypeError, AttributeError):
            return AutherLook(doubts=(Doubt(Grade.UNPROVEN, _OLDER),))


@dataclass(frozen=True)
class StoredPasswords:
    """What is stored at Auther; it reads every account for that."""

    statistics: Statistics

    def look(self) -> PasswordsLook:
        """Ask once."""
        found = self.statistics.ask(counts=True)
        if isinstance(found, Doubt):
            return PasswordsLook(doubts=(found,))
        try:
            return PasswordsLook(
                **{
                    name: found[name]
                    for name in ("users", "ours", "envelopes", "native", "unknown")
                }
            )
        except KeyError:
            return PasswordsLook(doubts=(Doubt(Grade.UNPROVEN, _OLDER),))


def _auther_look(found: Mapping[str, Any]) -> AutherLook:
    counts, process = found["sign_ins"], found["process"]
    passwords = counts["passwords"]
    return AutherLook(
        process=process["id"],
        started_at_s=process["started_at_s"],
        right={scheme: count["right"] for scheme, count in passwords.items()},
        wrong={scheme: count["wrong"] for scheme, count in passwords.items()},
        rehashed=counts["rehashed"],
        rehash_failed=counts["rehash_failed"],
        exchanged=counts["exchanged"],
        captured=counts["captured"],
    )
