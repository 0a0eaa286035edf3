"""The append-only, hash-chained record of what was intended and what came of it.

The entry comes before the effect (`intent`), the outcome after it; an intent without an outcome
is what an interrupted command leaves behind.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Connection, Engine, Row, func, insert, select, text

from migrator.core.clock import iso
from migrator.core.errors import ConflictError, MigratorError
from migrator.state.schema import ledger as table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migrator.core.clock import Clock

log = structlog.get_logger()
GENESIS = "0" * 64
MERGE = "merged"
_ADVISORY_KEY = 0x6D69_6772  # "migr": serialises appends where the state is on PostgreSQL


@dataclass(frozen=True)
class Entry:
    """One entry.

    Attributes:
        seq: 1, 2, 3, … without gaps.
        subject: `preflight`, `import`, `stage`, `gate`, `remove`.
        kind: `intent`, `outcome` or `note`.
        intent: For an outcome, the seq of its intent.
        body: Pseudonymous facts only: no e-mails, no secrets.
    """

    seq: int
    at: str
    subject: str
    action: str
    kind: str
    intent: int | None
    body: dict[str, Any]
    prev_hash: str
    hash: str

    def computed_hash(self) -> str:
        """Give the hash that the entry must carry."""
        content = [self.seq, self.at, self.subject, self.action, self.kind, self.intent, self.body]
        text_form = json.dumps([*content, self.prev_hash], sort_keys=True, separators=(",", ":"))
        return sha256(text_form.encode()).hexdigest()


@dataclass(frozen=True)
class Branch:
    """Entries that were written elsewhere while the ledger was away; the only fork there may be."""

    entries: tuple[Entry, ...]

    def grows_from(self, hashes: Mapping[int, str]) -> bool:
        """Tell whether it is a chain of its own that begins behind an entry of the ledger.

        Args:
            hashes: The ledger's, by seq.
        """
        first = self.entries[0]
        seq, prev_hash = first.seq, hashes.get(first.seq - 1, GENESIS)
        for entry in self.entries:
            if (entry.seq, entry.prev_hash) != (seq, prev_hash):
                return False
            if entry.hash != entry.computed_hash():
                return False
            seq, prev_hash = seq + 1, entry.hash
        return True


def read_branch(body: Mapping[str, Any]) -> Branch:
    """Read what a merge entry holds."""
    return Branch(tuple(Entry(**entry) for entry in body["entries"]))


class Ledger:
    """Appends and reads entries.

    If the process dies between intent and outcome, the intent stays and `pending` shows it.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def intent(self, subject: str, action: str, **body: Any) -> Entry:
        """Write down what is about to be done."""
        return self._append(subject, action, kind="intent", intent=None, body=body)

    def outcome(self, intent: Entry, **body: Any) -> Entry:
        """Write down what came of an intent."""
        return self._append(
            intent.subject, intent.action, kind="outcome", intent=intent.seq, body=body
        )

    def merge(self, subject: str, branch: Branch, **facts: Any) -> Entry:
        """Take in what was written elsewhere.

        Args:
            subject: Of all of it.
            branch: What was written.
            facts: What follows from it.

        Raises:
            ConflictError: It was changed, or does not grow from this ledger.
        """
        hashes = {entry.seq: entry.hash for entry in self.entries()}
        if not branch.grows_from(hashes):
            raise ConflictError(
                "what was written down while the state was away does not fit this ledger",
                hint="stop and find out who changed it: migrator ledger verify",
            )
        entries = [asdict(entry) for entry in branch.entries]
        return self.note(subject, MERGE, entries=entries, **facts)

    def note(self, subject: str, action: str, **body: Any) -> Entry:
        """Write down a fact that has no effect to wait for, such as a verdict."""
        return self._append(subject, action, kind="note", intent=None, body=body)

    @contextmanager
    def recorded(self, subject: str, action: str, **body: Any) -> Iterator[dict[str, Any]]:
        """Wrap an effect: intent before, outcome after; facts put into the yielded dict are kept.

        An error is recorded as outcome `failed` with its message and goes on; a killed process
        leaves the intent without outcome.
        """
        intent = self.intent(subject, action, **body)
        facts: dict[str, Any] = {}
        try:
            yield facts
        except MigratorError as error:
            self.outcome(intent, **facts, result="failed", error=error.message)
            raise
        self.outcome(intent, **{"result": "done", **facts})

    def entries(self, *, subject: str | None = None, last: int | None = None) -> list[Entry]:
        """Give entries in order, of one subject or all, at most the `last` so many."""
        query = select(table).order_by(table.c.seq.desc())
        if subject is not None:
            query = query.where(table.c.subject == subject)
        if last is not None:
            query = query.limit(last)
        with self._engine.connect() as connection:
            return [_entry(row) for row in connection.execute(query)][::-1]

    def latest(
        self, subject: str, action: str | None = None, *, kind: str | None = None
    ) -> Entry | None:
        """Give the newest entry of that subject, action and kind."""
        query = select(table).where(table.c.subject == subject).order_by(table.c.seq.desc())
        if action is not None:
            query = query.where(table.c.action == action)
        if kind is not None:
            query = query.where(table.c.kind == kind)
        with self._engine.connect() as connection:
            row = connection.execute(query.limit(1)).first()
        return None if row is None else _entry(row)

    def pending(self) -> list[Entry]:
        """Give the intents that have no outcome yet."""
        done = select(table.c.intent).where(table.c.kind == "outcome")
        query = (
            select(table)
            .where(table.c.kind == "intent", table.c.seq.not_in(done))
            .order_by(table.c.seq)
        )
        with self._engine.connect() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def head(self) -> tuple[str, int]:
        """Give the newest entry's hash and the number of entries."""
        with self._engine.connect() as connection:
            return _head(connection)

    def verify(self, *, known_head: tuple[str, int] | None = None) -> list[str]:
        """Find edits, gaps, reorders and, given a head known from elsewhere, a tail cut.

        Returns:
            What is wrong, in words; empty when the chain holds.
        """
        faults, prev_hash, hashes = [], GENESIS, {}
        heads = {(GENESIS, 0)}
        for position, entry in enumerate(self.entries(), start=1):
            if entry.seq != position:
                faults.append(f"entry {position} is missing (found {entry.seq})")
                break
            if entry.prev_hash != prev_hash or entry.hash != entry.computed_hash():
                faults.append(f"entry {entry.seq} was changed or moved")
            prev_hash = hashes[entry.seq] = entry.hash
            heads.add((entry.hash, entry.seq))
            if entry.action == MERGE:
                branch = read_branch(entry.body)
                if not branch.grows_from(hashes):
                    faults.append(f"what entry {entry.seq} merges does not fit")
                heads |= {(one.hash, one.seq) for one in branch.entries}
        if known_head is not None and known_head not in heads:
            faults.append(f"the published head at entry {known_head[1]} is not in this ledger")
        return faults

    def _append(
        self, subject: str, action: str, *, kind: str, intent: int | None, body: dict[str, Any]
    ) -> Entry:
        body = json.loads(json.dumps(body, default=str))
        with self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_KEY}
                )
            prev_hash, length = _head(connection)
            entry = Entry(
                length + 1,
                iso(self._clock.now()),
                subject,
                action,
                kind,
                intent,
                body,
                prev_hash,
                "",
            )
            row = entry.__dict__ | {
                "body": json.dumps(body, sort_keys=True),
                "hash": entry.computed_hash(),
            }
            connection.execute(insert(table).values(**row))
        log.info("ledger", seq=entry.seq, entry=f"{subject} {action}", kind=kind)
        return Entry(**(entry.__dict__ | {"hash": row["hash"]}))


def _head(connection: Connection) -> tuple[str, int]:
    last = connection.execute(select(table.c.hash).order_by(table.c.seq.desc()).limit(1)).scalar()
    length = connection.execute(select(func.count()).select_from(table)).scalar_one()
    return last or GENESIS, length


def _entry(row: Row[Any]) -> Entry:
    return Entry(**{**row._asdict(), "body": json.loads(row.body)})
