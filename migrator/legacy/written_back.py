"""The table in the application's database that says what became of each change made at Auther."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from migrator.core.sql import ident
from migrator.legacy.connect import compose, wrapped
from migrator.legacy.identity import TABLES, ClaimedMeanwhileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from migrator.legacy.connection import Connection
    from migrator.legacy.interface import TableShape

TABLE = TABLES[3]
# Shorter than deadlock_timeout, so that of the application and us it is we who give way.
LOCK_TIMEOUT = "500ms"
# The detail of a ban that turned off a flag, which says by itself not who turned it off.
CLOSED = "closed"


class Settling(NamedTuple):
    """What became of a change.

    Attributes:
        pk: The legacy key; None while there is no row.
        concerns: A later change of the same concern overtakes this one.
        state: `done`, `held` (tried again) or `lost` (cannot be written any more).
        detail: Column names and the like; nothing of a person.
    """

    event: str
    auther_id: str
    pk: str | None
    kind: str
    concerns: str
    at_ms: int
    outcome: str
    state: str
    detail: str


class HeldLink(NamedTuple):
    """A row of `migrator_identity` that nobody else writes until our transaction ends."""

    source: str
    pk: str
    home: str
    pinned: str | None
    fingerprint: str | None


class OpenChange(NamedTuple):
    """A change that is not in the application yet, or that Auther does not know to be there."""

    event: str
    auther_id: str
    pk: str | None
    kind: str
    at: datetime
    outcome: str
    state: str
    detail: str


class WrittenBack:
    """Reads and writes `migrator_write_back`, and the links that go with it, for one source."""

    def __init__(self, connection: Connection, users: TableShape, *, source: str) -> None:
        self._connection = connection
        self._source = source
        roles = connection.queries("identity.sql")["application_roles"]
        queries = connection.queries("written_back.sql")
        self._queries = {**queries, "application_roles": roles}
        self._users = ident(users.schema, users.name)
        self._table = ident(users.schema, TABLE)
        self._place = {"table": self._table, "schema": users.schema, "name": TABLE}
        self._parts = {
            "log": self._table,
            "identity": ident(users.schema, TABLES[0]),
            "tombstone": ident(users.schema, TABLES[4]),
            "index": ident(f"{TABLE}_auther_id_idx"),
        }

    def exists(self) -> bool:
        """Tell whether the table is there."""
        return bool(self._ask("exists", **self._place)[0][0])

    def create(self) -> None:
        """Create the table where it is missing, and let the application read it.

        Raises:
            DependencyError: Our role may not create tables beside the users table.
        """
        if self.exists():
            return
        with wrapped(f"creating {TABLE}"), self._connection.transaction():
            for name in ("create", "create_index"):
                self._connection.execute(self._query(name), {})
            for (role,) in self._ask("application_roles", users=self._users):
                self._connection.execute(self._query("grant", role=ident(role)), {})

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all or nothing, and wait for nobody's lock longer than half a second."""
        with wrapped("writing back"), self._connection.transaction():
            self._ask("no_wait", limit=LOCK_TIMEOUT)
            yield

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Write a part that may fail without taking the rest of the transaction along."""
        with self._connection.transaction():
            yield

    def states_of(self, events: Sequence[str]) -> dict[str, str]:
        """Give what became of changes so far, by their id."""
        return dict(self._ask("states_of", events=list(events)))

    def put(self, row: Settling) -> None:
        """Write down what became of a change; once it is done, earlier ones are overtaken."""
        self._tell("put", **row._asdict())
        if row.outcome == "written":
            self._tell("overtake", **row._asdict())

    def is_overtaken(self, event: str, *, auther_id: str, concerns: str) -> bool:
        """Tell whether a later change of the same concern is written already."""
        params = {"event": event, "auther_id": auther_id, "concerns": concerns}
        return bool(self._ask("is_overtaken", **params)[0][0])

    def closed_by_us(self, event: str, *, auther_id: str) -> bool:
        """Tell whether a ban before this event turned off the row's own flag, and nothing lifted it."""
        params = {"event": event, "auther_id": auther_id, "closed": CLOSED}
        return bool(self._ask("closed_by_us", **params)[0][0])

    def has_held(self, auther_id: str, *, kind: str) -> bool:
        """Tell whether a change of that kind waits to be tried again."""
        return bool(self._ask("has_open", auther_id=auther_id, kind=kind)[0][0])

    def held(self) -> list[str]:
        """Name the changes that are to be tried again, in order."""
        return [event for (event,) in self._ask("held")]

    def held_users(self) -> frozenset[str]:
        """Give the ids at Auther of users with a change that is tried again."""
        return frozenset(str(user_id) for (user_id,) in self._ask("held_users"))

    def oldest_held(self) -> datetime | None:
        """Give when the oldest held change was made, by Auther's clock."""
        found: datetime | None = self._ask("oldest_held")[0][0]
        return found

    def give_up(self, events: Sequence[str]) -> None:
        """Say of held changes that Auther forgot them."""
        self._tell("gone", events=list(events))

    def unacknowledged(self, *, rows: int) -> list[str]:
        """Name changes that are taken care of here and that Auther still keeps."""
        return [event for (event,) in self._ask("unacknowledged", rows=rows)]

    def acknowledged(self, events: Sequence[str]) -> None:
        """Say that Auther knows."""
        self._tell("acknowledged", events=list(events))

    def open(self, *, rows: int) -> list[OpenChange]:
        """Read what is not in the application, or not known to be."""
        return [OpenChange(*row) for row in self._ask("open", rows=rows)]

    def count_open(self) -> int:
        """Count the users whom that concerns."""
        return int(self._ask("count_open")[0][0])

    def link(self, auther_id: str) -> HeldLink | None:
        """Lock and read who somebody at Auther is here, of whatever source."""
        rows = self._ask("link", auther_id=auther_id)
        return HeldLink(*rows[0]) if rows else None

    def add_link(self, auther_id: str, pk: str, *, fingerprint: str | None) -> None:
        """Link a new row.

        Raises:
            ClaimedMeanwhileError: A login in the application made a link meanwhile.
        """
        params = {"auther_id": auther_id, "pk": pk, "fingerprint": fingerprint}
        if not self._ask("linked", **params):
            raise ClaimedMeanwhileError

    def set_fingerprint(self, auther_id: str, fingerprint: str | None) -> None:
        """Say which legacy hash is the one that Auther knows of."""
        self._tell("fingerprint", auther_id=auther_id, fingerprint=fingerprint)

    def move(self, auther_id: str) -> None:
        """Let a user be at home at Auther."""
        self._tell("move", auther_id=auther_id)

    def end_tokens(self, auther_id: str, *, at_ms: int) -> None:
        """Refuse what was issued before a time, in whole seconds; it never moves back."""
        self._tell("end_tokens", auther_id=auther_id, at_ms=at_ms)

    def bury(self, auther_id: str, *, until_ms: int) -> None:
        """Let no token of a user who was deleted at Auther make them a row again, up to a time."""
        self._tell("bury", auther_id=auther_id, until_ms=until_ms)

    def homes_away(self) -> int:
        """Count the users at home at Auther of whom nothing is open."""
        return int(self._ask("homes_away")[0][0])

    def homes_back(self, *, rows: int) -> int:
        """Let so many of them be at home in the application again; give their number."""
        with wrapped("writing migrator_identity"):
            query = self._query("homes_back")
            return self._connection.execute(query, self._params(rows=rows)).rowcount

    def _query(self, name: str, **parts: str) -> Any:
        return compose(self._queries[name], **self._parts, **parts)

    def _params(self, **params: Any) -> dict[str, Any]:
        return {"source": self._source, **params}

    def _ask(self, name: str, /, **params: Any) -> list[tuple[Any, ...]]:
        with wrapped(f"reading {TABLE}"):
            return self._connection.execute(self._query(name), self._params(**params)).fetchall()

    def _tell(self, name: str, **params: Any) -> None:
        with wrapped(f"writing {TABLE}"):
            self._connection.execute(self._query(name), self._params(**params))
