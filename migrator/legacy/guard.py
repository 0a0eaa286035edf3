"""The removal's guard schema: lease, evidence, and how far each step came."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import errors
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from migrator.core.errors import ConflictError
from migrator.core.queries import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from psycopg import Connection

LEASE_S = 60


@dataclass(frozen=True)
class StepState:
    """A step as the database knows it: `pending`, `applying`, `applied` or `reverting`."""

    step: str
    state: str
    at: datetime


@dataclass(frozen=True)
class Archived:
    """A copy: rows and SHA-256 over their text form."""

    name: str
    rows: int
    sha256: str
    archived_at: datetime


@dataclass(frozen=True)
class Scream:
    """The scream window.

    Attributes:
        looked_at: When the log was last read, None before.
        refusals: Refused statements since then.
        unproven: Why that says nothing; empty when it does.
    """

    opened_at: datetime
    looked_at: datetime | None
    control_counted: bool
    refusals: int | None
    unproven: str


@dataclass(frozen=True)
class Orphans:
    """Rows that point to nothing, so that their foreign key stays unvalidated."""

    table_name: str
    constraint_name: str
    rows: int
    some_keys: list[str]


@dataclass(frozen=True)
class Evidence:
    """Why a step may run, put where the SQL itself can see it.

    Attributes:
        evidence_hash: Over the verdicts of the gates.
        seconds: How long it is good for, by the database's clock.
    """

    step: str
    plan_id: str
    plan_hash: str
    evidence_hash: str
    seconds: float


class Guard:
    """Reads and writes the guard schema of one database.

    Args:
        connection: In autocommit; a direct one, not through a transaction pooler.
    """

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    def plan_id(self) -> str | None:
        """Give the id of the plan under way, None when there is no guard schema."""
        if not self._rows("exists")[0]["found"]:
            return None
        return str(self._rows("plan")[0]["plan_id"])

    def steps(self) -> tuple[StepState, ...]:
        """Give every step's state, in order."""
        return tuple(StepState(**row) for row in self._rows("steps"))

    def done_units(self, step: str, direction: str) -> frozenset[str]:
        """Give the transactions of a half-done step that are committed."""
        rows = self._rows("done_units", step=step, direction=direction)
        return frozenset(row["unit"] for row in rows)

    def archives(self) -> tuple[Archived, ...]:
        """Give the copies that are kept."""
        return tuple(Archived(**row) for row in self._rows("archives"))

    def orphans(self) -> tuple[Orphans, ...]:
        """Give the foreign keys that could not be validated after a revert."""
        return tuple(Orphans(**row) for row in self._rows("orphans"))

    def holder(self) -> dict[str, Any] | None:
        """Give who holds or last held the lease."""
        rows = self._rows("holder")
        return rows[0] if rows else None

    def present(self, evidence: Evidence) -> None:
        """Write down why a step may run."""
        self._do("present_evidence", **vars(evidence))

    def heard(self, *, refusals: int, counted: bool, unproven: str) -> None:
        """Write down what the server's log said by now.

        Args:
            refusals: Refused statements since the scream window was opened.
            counted: A refusal that was planted just now was found.
            unproven: Why something may have gone unheard.
        """
        self._do("heard", refusals=refusals, counted=counted, unproven=unproven)

    def scream(self) -> Scream | None:
        """Give what is known of the scream window, None before it was opened."""
        rows = self._rows("scream")
        return Scream(**rows[0]) if rows else None

    def record(self) -> dict[str, Any]:
        """Give what only the guard schema knows, as JSON values: checksums, sequences, the window."""
        return dict(self._rows("record")[0])

    def restore(self, record: dict[str, Any]) -> None:
        """Put a record into a guard schema that was made again; rows that are there stay."""
        scream = record["scream"]
        self._do("restore_archives", rows=Jsonb(record["archives"]))
        self._do("restore_sequences", rows=Jsonb(record["sequences"]))
        self._do("restore_scream", rows=Jsonb([scream] if scream else []))

    def step_back(self, step: str) -> None:
        """Take back the intent of a step whose one transaction never committed."""
        self._do("step_back", step=step)

    def in_the_way(self, oids: list[int]) -> list[dict[str, Any]]:
        """Give the sessions that hold locks on these tables, the oldest transaction first."""
        return self._rows("in_the_way", oids=oids)

    @contextmanager
    def leased(self, holder: str) -> Iterator[int]:
        """Hold the lease for a block; a killed holder's runs out after a minute.

        Args:
            holder: The same for one operator's next try, different for another operator.

        Raises:
            ConflictError: Another operator holds it.
        """
        fence = self._take(holder)
        self._rows("carry_fence", fence=str(fence))
        try:
            yield fence
        finally:
            # A revert of the first step takes the schema away, lease and all.
            if not self._connection.closed and self.plan_id() is not None:
                self._do("release_lease", fence=fence)

    def _take(self, holder: str) -> int:
        try:
            with self._connection.transaction():
                self._rows("wait_briefly")
                rows = self._rows("take_lease", holder=holder, seconds=LEASE_S)
        except errors.LockNotAvailable:
            rows = []
        if rows:
            return int(rows[0]["fence"])
        other = self.holder()
        name = other["holder"] if other else "another operator"
        raise ConflictError(
            f"{name} holds the lease on this database's removal",
            hint="let that one finish, or wait a minute after it ended, then the same command",
        )

    def _rows(self, name: str, **values: object) -> list[dict[str, Any]]:
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(_query(name), values).fetchall()

    def _do(self, name: str, **values: object) -> None:
        self._connection.execute(_query(name), values)


def _query(name: str) -> bytes:
    return load("migrator.legacy", "guard.sql")[name].encode()
