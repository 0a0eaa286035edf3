"""What people changed at Auther, as the plugin wrote it down in the table `verification`.

Two ways to it: the plugin's endpoint, for a live Auther, and the table itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import httpx

from migrator.auther.live.probe import is_encrypted
from migrator.auther.ways.database import Run
from migrator.core.errors import DependencyError, RefusedError, UsageError
from migrator.core.queries import load
from migrator.core.texts import storable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.auther.ways.database import Database
    from migrator.core.clock import Clock

PREFIX = "migrator:event:"
# A transaction that is under way may still bring an event that belongs before the newest ones.
SETTLE_MS = 1000
PAGE_ROWS = 1000
_TIME_DIGITS = 15
# As far as the clock of JavaScript goes; PostgreSQL's goes further.
_LAST_MS = 8_640_000_000_000_000
_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Event:
    """One change.

    Attributes:
        id: Sorts by time.
        kind: `password`, `email`, `ban`, `unban`, `delete`, `sign_up` or `revoke`.
        user_id: At Auther.
        at_ms: By Auther's clock, Unix milliseconds.
        sealed: The legacy value of a new password, sealed; None where there is none.
        expired: There was one, and its time has passed.
        acknowledged: Somebody has taken care of it.
        email: The new address, in `email` and `sign_up`.
    """

    id: str
    kind: str
    user_id: str
    at_ms: int
    sealed: str | None = None
    expired: bool = False
    acknowledged: bool = False
    email: str | None = None
    name: str | None = None
    email_verified: bool = False


@dataclass(frozen=True)
class Events:
    """Changes that follow each other.

    Attributes:
        cursor: Where the next page begins; as asked for when there are none.
        now_ms: The time there, Unix milliseconds.
        lost: Changes that Auther could not write down since it was started; 0 where it does not tell.
    """

    found: tuple[Event, ...]
    cursor: str
    now_ms: int
    lost: int = 0


class EventFeed(Protocol):
    """A way to the changes."""

    def read(self, after: str, *, limit: int = PAGE_ROWS) -> Events:
        """Read what follows an id, in order; what is younger than a second is held back.

        Args:
            after: An id, or "" for the first page.
            limit: 1 to 1000.

        Raises:
            DependencyError: Auther does not answer; try again.
            RefusedError: Auther does not give changes out.
        """
        ...

    def acknowledge(self, ids: Sequence[str]) -> None:
        """Let Auther forget the sealed values of these changes; the changes stay.

        Raises:
            DependencyError: Auther does not answer; try again.
            RefusedError: Auther does not give changes out.
        """
        ...


def cursor_at(at_ms: int) -> str:
    """Give the cursor after which everything from that time on follows."""
    return f"{PREFIX}{max(at_ms, 0):0{_TIME_DIGITS}d}"


def time_of(event_id: str) -> int:
    """Give when an event was written, Unix milliseconds; 0 for what is no event's id."""
    digits = event_id.removeprefix(PREFIX)[:_TIME_DIGITS]
    return int(digits) if event_id.startswith(PREFIX) and digits.isdecimal() else 0


def parse_event(event_id: str, value: Mapping[str, Any]) -> Event | None:
    """Read an event; None when it is not one that this version knows how to read."""
    kind, user_id, at_ms = value.get("type"), value.get("user_id"), value.get("at_ms")
    if not (isinstance(kind, str) and isinstance(user_id, str) and isinstance(at_ms, int)):
        return None
    # What no database could take would stop those who come after it.
    if not (storable(event_id) and storable(user_id) and 0 <= at_ms <= _LAST_MS):
        return None
    return Event(
        event_id,
        kind,
        user_id,
        at_ms,
        sealed=_text(value, "sealed"),
        expired=value.get("sealed_expired") is True,
        acknowledged=value.get("acknowledged") is True,
        email=_text(value, "email"),
        name=_text(value, "name"),
        email_verified=value.get("email_verified") is True,
    )


def _text(value: Mapping[str, Any], key: str) -> str | None:
    found = value.get(key)
    return found if isinstance(found, str) and found else None


class DatabaseFeed:
    """Reads the table itself; for a database that a live Auther does not stumble over."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._queries = load("migrator.auther.plugin", "events.sql")

    def read(self, after: str, *, limit: int = PAGE_ROWS) -> Events:  # noqa: D102
        now_ms = round(self._clock.now().timestamp() * 1000)
        bounds = (after or PREFIX, cursor_at(now_ms - SETTLE_MS), limit)
        (rows,) = self._database.ask(Run(self._queries["after"], bounds))
        found = [parse_event(event_id, _decoded(value)) for event_id, value in rows]
        cursor = rows[-1][0] if rows else after
        return Events(tuple(event for event in found if event is not None), cursor, now_ms)

    def acknowledge(self, ids: Sequence[str]) -> None:  # noqa: D102
        self._database.write([Run(self._queries["acknowledge"], (json.dumps(list(ids)),))])


def _decoded(value: str) -> Mapping[str, Any]:
    try:
        found = json.loads(value)
    except ValueError:
        return {}
    return found if isinstance(found, Mapping) else {}


class EndpointFeed:
    """Asks the plugin.

    Args:
        api: The base of better-auth's API, e.g. `https://id.example.org/api/auth`.
        secret: The plugin's secret for events.

    Raises:
        UsageError: The secret and the changes would travel unencrypted.
    """

    def __init__(self, api: str, secret: str) -> None:
        if not is_encrypted(api):
            raise UsageError(
                f"the secret for events would travel to {urlsplit(api).hostname} unencrypted",
                hint='write base_url = "https://…" under [auther] in migrator.toml',
            )
        self._http = httpx.Client(
            base_url=f"{api}/migrator/",
            headers={"Authorization": f"Bearer {secret}"},
            timeout=_TIMEOUT_S,
            follow_redirects=False,
        )

    def read(self, after: str, *, limit: int = PAGE_ROWS) -> Events:  # noqa: D102
        params: dict[str, str | int] = {"after": after, "limit": limit}
        body = self._ask("GET", "events", params=params)
        rows = [row for row in body.get("events", ()) if isinstance(row, dict)]
        found = [parse_event(str(row.get("id", "")), row) for row in rows]
        return Events(
            tuple(event for event in found if event is not None),
            str(body.get("cursor") or after),
            int(body.get("now_ms") or 0),
            int(body.get("lost") or 0),
        )

    def acknowledge(self, ids: Sequence[str]) -> None:  # noqa: D102
        self._ask("POST", "events/acknowledge", json={"ids": list(ids)})

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _ask(self, method: str, path: str, **what: Any) -> dict[str, Any]:
        try:
            answer = self._http.request(method, path, **what)
        except httpx.HTTPError as error:
            raise _away(type(error).__name__) from error
        if answer.status_code in _REFUSALS:
            raise RefusedError(
                f"Auther does not give its changes out: {_REFUSALS[answer.status_code]}",
                hint="migrator import plugin --out DIR --env-file FILE",
            )
        try:
            body = answer.json()
        except ValueError:
            body = None
        if answer.status_code != HTTPStatus.OK or not isinstance(body, dict):
            raise _away(f"HTTP {answer.status_code}")
        return body


_REFUSALS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "it does not know plugin.events_secret (401)",
    HTTPStatus.FORBIDDEN: "it refuses plugin.events_secret (403)",
    HTTPStatus.NOT_FOUND: "the plugin is not there, or has no MIGRATOR_SECRET_EVENTS (404)",
}


def _away(what: str) -> DependencyError:
    return DependencyError(
        f"Auther does not tell what changed there: {what}",
        hint="check that Auther runs and auther.base_url, then run the same again",
    )
