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
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from migrator.legacy.postgres import PostgresConnection

LEASE_S = 60


@dataclass(frozen=True)
class StepState:
    """A step as the database knows it: `pending`, `applying`, `applied` or `reverting`."""

    step: str
    state: str
    at: datetime


@dataclass(frozen=True)
class Archived:
    """An archived table: rows and SHA-256 over their text form.

    Attributes:
        manifest_sha256: Stands for the files; empty when they hold more than what came back from them.
        erased: Entries on the list of what may not come back.
        drilled_at: When the files were restored and compared, None before.
    """

    name: str
    rows: int
    sha256: str
    archived_at: datetime
    manifest_sha256: str
    erased: int
    drilled_at: datetime | None


@dataclass(frozen=True)
class ChunkKeys:
    """The first and the last primary key of a chunk, each column as text."""

    file: str
    first_key: list[str]
    last_key: list[str]


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
        connection: In autocommit.
    """

    def __init__(self, connection: PostgresConnection) -> None:
        self._connection = connection
        # The lease's number while it is held, where a session would lose it.
        self.fence: int | None = None

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

    def enter(self, step: str, unit: str, plan_id: str) -> None:
        """Open a part of a step within the transaction: lease, evidence, order of steps."""
        self._show_fence()
        self._do("enter", step=step, unit=unit, plan_id=plan_id)

    def leave(self, step: str, unit: str) -> None:
        """Record that part as done."""
        self._do("leave", step=step, unit=unit)

    def is_loaded(self, name: str) -> bool:
        """Tell whether the rows of a table's archive are in the archive schema."""
        return bool(self._rows("is_loaded", name=name)[0]["found"])

    def check_lease(self) -> None:
        """Make sure, within the transaction, that the lease is still ours."""
        self._show_fence()
        self._do("check_lease")

    @contextmanager
    def approved_writer(self) -> Iterator[None]:
        """Let the block, all of it in one transaction, write past the write-block; makes sure that the lease is still ours."""
        self._show_fence()
        self._do("approve_writer")
        yield

    def record_archive(
        self,
        name: str,
        *,
        rows: int,
        sha256: str,
        manifest_sha256: str,
        chunks: Iterable[ChunkKeys],
    ) -> None:
        """Write down what a table's files hold."""
        values = {"rows": rows, "sha256": sha256, "manifest_sha256": manifest_sha256}
        self._do("record_archive", name=name, **values)
        self._do("forget_chunks", name=name)
        for chunk in chunks:
            self._do("record_chunk", name=name, **vars(chunk))

    def chunks(self, name: str) -> tuple[ChunkKeys, ...]:
        """Give which keys are in which file; nothing where that is not kept, as for a table without a primary key."""
        return tuple(ChunkKeys(**row) for row in self._rows("chunks", name=name))

    def renew_chunk(self, name: str, file: str, chunk: ChunkKeys | None) -> None:
        """Put another file in a file's place, or none."""
        self._do("forget_chunk", name=name, file=file)
        if chunk is not None:
            self._do("record_chunk", name=name, **vars(chunk))

    def record_drill(self, name: str, manifest_sha256: str) -> bool:
        """Write down that these files were restored and compared; False when others are recorded by now."""
        return bool(self._rows("record_drill", name=name, manifest_sha256=manifest_sha256))

    def record_renewal(self, names: list[str], manifest_sha256: str) -> None:
        """Write down an archive's new manifest."""
        self._do("record_renewal", names=names, manifest_sha256=manifest_sha256)

    def record_erasure(self, name: str, *, rows: int, sha256: str) -> None:
        """Write down what a table's renewed files hold; they are to be proven anew."""
        self._do("record_erasure", name=name, rows=rows, sha256=sha256)

    def record_erasures(self, name: str, erased: int) -> None:
        """Write down how many rows of a table's files may not come back."""
        self._do("record_erasures", name=name, erased=erased)

    def record_refill(self, name: str, *, rows: int, sha256: str) -> None:
        """Write down that less came back than the files hold."""
        self._do("record_refill", name=name, rows=rows, sha256=sha256)

    def orphans(self) -> tuple[Orphans, ...]:
        """Give the foreign keys that could not be validated after a revert."""
        return tuple(Orphans(**row) for row in self._rows("orphans"))

    def holder(self) -> dict[str, Any] | None:
        """Give who holds or last held the lease."""
        rows = self._rows("holder")
        return rows[0] if rows else None

    def target(self) -> str:
        """Say which database this is."""
        return str(self._rows("target")[0]["target"])

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
        self._do("restore_chunks", rows=Jsonb(record["chunks"]))
        self._do("restore_sequences", rows=Jsonb(record["sequences"]))
        self._do("restore_targets", rows=Jsonb(record["targets"]))
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
        if self._connection.pooled:
            self.fence = fence
        else:
            self._rows("carry_fence", fence=str(fence))
        try:
            yield fence
        finally:
            self.fence = None
            # A revert of the first step takes the schema away, lease and all.
            if not self._connection.closed and self.plan_id() is not None:
                self._do("release_lease", fence=fence)

    def _show_fence(self) -> None:
        """Carry the lease's number into this transaction, where the session would lose it."""
        if self.fence is not None:
            self._rows("carry_fence_here", fence=str(self.fence))

    def _take(self, holder: str) -> int:
        try:
            with self._connection.transaction():
                self._rows("wait_briefly")
                fence = self._rows("take_lease", holder=holder, seconds=LEASE_S)[0]["fence"]
        except errors.LockNotAvailable:
            fence = None
        if fence is not None:
            return int(fence)
        other = self.holder()
        name = other["holder"] if other else "another operator"
        raise ConflictError(
            f"{name} holds the lease on this database's removal",
            hint="let that one finish, or wait a minute after it ended, then the same command",
        )

    def _rows(self, query: str, /, **values: object) -> list[dict[str, Any]]:
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(_query(query), values).fetchall()

    def _do(self, query: str, /, **values: object) -> None:
        self._connection.execute(_query(query), values)


def _query(name: str) -> bytes:
    return load("migrator.legacy", "guard.sql")[name].encode()
