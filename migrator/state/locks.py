"""One runner per subject: a lease with a fencing number.

A lease is renewed in the background while its block runs; when the holder dies, it runs out and the next runner takes it
with a higher number. A holder that lost its lease finds out at its next `check`.
"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Engine, bindparam, insert, select, update

from migrator.core.clock import iso, parse_iso
from migrator.core.errors import ConflictError, DependencyError
from migrator.state.schema import locks as table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.core.clock import Clock

LEASE = timedelta(seconds=60)
RENEW_EVERY_S = 20
# Not the present: a clock that is set back would make what was given back look held.
_RELEASED = datetime.fromtimestamp(0, UTC)
# Made once: it is asked before each effect.
_FENCE = select(table.c.fence).where(table.c.subject == bindparam("of"))


@dataclass(frozen=True)
class Lease:
    """A lock that is held.

    Attributes:
        fence: Grows with each holder of this subject.
    """

    subject: str
    fence: int
    holder: str


class Locks:
    """Takes, renews and gives back leases."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._renewing = threading.Lock()

    @contextmanager
    def held(self, subject: str, *, break_it: bool = False) -> Iterator[Lease]:
        """Hold a subject's lock for a block.

        Args:
            subject: `import`, `stage` or `remove`.
            break_it: Take the lock although another runner holds it (stage rollback only).

        Raises:
            ConflictError: Another runner holds it and is alive or was within a minute.
        """
        lease = self._take(subject, break_it=break_it)
        ended = threading.Event()
        renewer = threading.Thread(target=self._keep, args=(lease, ended), daemon=True)
        renewer.start()
        try:
            yield lease
        finally:
            ended.set()
            renewer.join()
            self._set_expiry(lease, _RELEASED)

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Renew nothing during a block: a copy of this process must not begin in the midst of that."""
        with self._renewing:
            yield

    def check(self, lease: Lease) -> None:
        """Make sure that the lock is still ours; call it before each effect.

        Raises:
            ConflictError: Somebody else took the lock over.
        """
        with self._engine.connect() as connection:
            if connection.execute(_FENCE, {"of": lease.subject}).scalar() != lease.fence:
                raise ConflictError(
                    f"another runner took over the {lease.subject}", hint="migrator status"
                )

    def holder(self, subject: str) -> str | None:
        """Name the runner that holds a subject now."""
        query = select(table).where(table.c.subject == subject)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        if row is None or parse_iso(row.expires_at) <= self._clock.now() or _is_dead(row.holder):
            return None
        return _named(row.holder)

    def _take(self, subject: str, *, break_it: bool) -> Lease:
        now = self._clock.now()
        me = _me()
        with self._engine.begin() as connection:
            row = connection.execute(
                select(table).where(table.c.subject == subject).with_for_update()
            ).first()
            if row is None:
                connection.execute(
                    insert(table).values(
                        subject=subject, fence=1, holder=me, expires_at=iso(now + LEASE)
                    )
                )
                return Lease(subject, 1, me)
            alive = parse_iso(row.expires_at) > now and not _is_dead(row.holder)
            if alive and not break_it:
                raise ConflictError(
                    f"{_named(row.holder)} is working on the {subject} (its lease ends {row.expires_at})",
                    hint="wait for it, or end that process and try again",
                )
            connection.execute(
                update(table)
                .where(table.c.subject == subject)
                .values(fence=row.fence + 1, holder=me, expires_at=iso(now + LEASE))
            )
            return Lease(subject, row.fence + 1, me)

    def _keep(self, lease: Lease, ended: threading.Event) -> None:
        while not ended.wait(RENEW_EVERY_S):
            # A renewal that fails is tried again; `check` tells whether the lease was lost.
            with self._renewing, suppress(DependencyError):
                self._set_expiry(lease, self._clock.now() + LEASE)

    def _set_expiry(self, lease: Lease, until: datetime) -> None:
        mine = (table.c.subject == lease.subject) & (table.c.fence == lease.fence)
        with self._engine.begin() as connection:
            connection.execute(update(table).where(mine).values(expires_at=iso(until)))


def _me() -> str:
    """Give machine, number and beginning of this process: another one may get the number later."""
    process = _process(os.getpid())
    return f"{socket.gethostname()}:{os.getpid()}" + (f"/{process.began}" if process else "")


def _named(holder: str) -> str:
    """Give a holder as people are told of it: its machine and its process."""
    return holder.partition("/")[0]


def _is_dead(holder: str) -> bool:
    """Tell that a holder on this machine is gone, so that nobody waits for a killed process."""
    host, _, known = holder.rpartition(":")
    if host != socket.gethostname():
        return False
    pid, _, began = known.partition("/")
    with suppress(PermissionError):
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
    process = _process(int(pid))
    # Killed ones stay as zombies where nobody reaps them, as in a container without an init.
    return process is not None and (process.state == "Z" or began not in {"", process.began})


class _Process(NamedTuple):
    """A process as Linux has it; `began` is in ticks since the machine's start."""

    state: str
    began: str


def _process(pid: int) -> _Process | None:
    """Look a process up; None where the system shows nothing of it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    # The name before it may hold blanks and brackets.
    fields = stat.rpartition(")")[2].split()
    return _Process(fields[0], fields[19])
