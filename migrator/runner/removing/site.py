"""A plan and the database that it is for."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from migrator.core.errors import ConflictError, HeldError
from migrator.core.units import carrying, needs_session, units_of
from migrator.legacy.execute import Patience
from migrator.legacy.removals import only_postgres, open_removal
from migrator.runner.listening import screams
from migrator.runner.removing import finished
from migrator.sqlgen import steps
from migrator.sqlgen.mariadb.render import wait_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.legacy.guard import Archived, Guard
    from migrator.legacy.postgres import PostgresConnection
    from migrator.legacy.removal import RemovalDatabase
    from migrator.runner.context import Context
    from migrator.sqlgen.planfile import PlanFile


# Where somebody is heard from: those of the tables, and those of the columns.
_OPENINGS = frozenset({(steps.SCREAM_WINDOW, "open"), (steps.QUARANTINE_COLUMNS, "rename")})

# Transactions whose SQL wants to know that nobody was refused, by a look of the last minutes.
_NEEDS_QUIET = frozenset(
    {
        (steps.SCREAM_WINDOW, "close"),
        (steps.QUARANTINE_TABLES, "move"),
        (steps.PURGE_TABLES, "drop"),
        (steps.ERASE_COLUMNS, "compare"),
        (steps.PURGE_COLUMNS, "drop"),
    }
)


@dataclass(frozen=True)
class Site:
    """A plan and the database that it is for.

    Attributes:
        database: In autocommit, allowed to write.
    """

    ctx: Context
    plan: PlanFile
    database: RemovalDatabase

    @property
    def guard(self) -> Guard:
        """Lease, evidence and step log."""
        return self.database.guard

    @property
    def connection(self) -> PostgresConnection:
        """The connection of a PostgreSQL.

        Raises:
            RefusedError: It is another database.
        """
        return only_postgres(self.database, doing="the scream window").connection

    def states(self) -> dict[str, str]:
        """Give each step's state; all pending before the guard schema exists.

        Raises:
            ConflictError: Another plan is under way in this database, or this one ended in another.
        """
        under_way = self.guard.plan_id()
        if under_way is None:
            over = finished.record(self.ctx, self.plan) is not None
            if over and finished.target(self.ctx) not in {"", self.guard.target()}:
                raise ConflictError(
                    f"plan {self.plan.plan_id} came to its end in another database than this one",
                    hint="set [legacy] dsn to that one, then the same command again",
                )
            return dict.fromkeys(self.plan.steps, "applied" if over else "pending")
        if under_way != self.plan.plan_id:
            raise ConflictError(
                f"plan {under_way} is under way in this database, not {self.plan.plan_id}",
                hint="finish or revert that one where it was made, then: migrator remove plan",
            )
        return {known.step: known.state for known in self.guard.steps()}

    @property
    def target(self) -> str:
        """Say which database this is, and on which server: a copy of it elsewhere is another one."""
        return f"{self.database.server} {self.guard.target()}"

    def archives(self) -> tuple[Archived, ...]:
        """Give what is known of the archives, by the guard schema or, after the last step, by what was kept of it."""
        if self.guard.plan_id() is not None:
            return self.guard.archives()
        kept = finished.record(self.ctx, self.plan)
        return finished.archives(kept) if kept else ()

    @property
    def _patience(self) -> Patience:
        return Patience(self.ctx.config.remove.lock_attempts, self.ctx.clock.sleep)

    def run(self, step: str, direction: str, file: str = "") -> None:
        """Run a step's file, or another one in its place, going on after what is recorded as done."""
        done = self.done(step, direction)
        for unit in units_of(self._text(file or f"{direction}/{step}.sql")):
            if not (unit.recorded and unit.name in done):
                self._prepare(step, direction, unit.name)
                self.database.run_unit(unit, patience=self._patience, oids=list(self.plan.oids))

    def done(self, step: str, direction: str) -> frozenset[str]:
        """Give the recorded parts of a step that are done."""
        return self.guard.done_units(step, direction) if self.guard.plan_id() else frozenset()

    def _text(self, file: str) -> str:
        """Give a file as it has to be sent; one that a pooler would spoil is not begun."""
        text = self.plan.files[file]
        if not self.database.pooled:
            return text
        if needs_session(text):
            raise HeldError(
                f"{file} has a part that commits on its way, and between here and the server is a pooler "
                "that gives each transaction another session",
                hint="set direct_dsn under [legacy] to the server itself, then the same command again",
            )
        fence = self.guard.fence
        return text if fence is None else carrying(text, "migrator.fence", fence)

    def _prepare(self, step: str, direction: str, unit: str) -> None:
        if step == steps.FINALIZE:
            self._before_the_end(direction, unit)
        if not self._window_of(step):
            return
        if direction == "revert" and step == self._first_window:
            screams.end(self.ctx)
        elif direction == "deploy" and (step, unit) in _OPENINGS:
            self.begin_to_listen()
        elif direction == "deploy" and (step, unit) in _NEEDS_QUIET:
            self.listen()

    def _window_of(self, step: str) -> bool:
        """Tell whether the scream window that a step belongs to proves anything."""
        return self.plan.listens if step >= steps.LOOSEN_COLUMNS else not self.plan.unproven

    @property
    def _first_window(self) -> str:
        return steps.SCREAM_WINDOW if self.plan.tables else steps.QUARANTINE_COLUMNS

    def begin_to_listen(self) -> None:
        """Listen from now on: what was heard before was about something else, or the last time."""
        screams.begin(
            self.ctx,
            self.connection,
            plan_id=self.plan.plan_id,
            database=self.plan.database,
            names=self.plan.names,
        )

    def listen(self) -> None:
        """Write down where the SQL looks for it whether somebody was refused; without a scream window nothing."""
        if wanted := self.listening():
            heard, counted = screams.listen(self.ctx, self.connection, wanted)
            self.guard.heard(refusals=heard.count, counted=counted, unproven=heard.unproven)

    def reopen(self) -> None:
        """Make the guard schema again that the last step removed; the revert of that step goes on from there."""
        reopening = units_of(self.plan.files[f"revert/{steps.FINALIZE}.sql"])[0]
        self.database.run_unit(reopening, patience=self._patience, oids=[])

    def _before_the_end(self, direction: str, unit: str) -> None:
        if direction == "deploy":
            finished.keep(self.ctx, self.plan, self.guard.record(), self.guard.target())
        elif direction == "revert" and unit == "settle":
            kept = finished.record(self.ctx, self.plan)
            if kept is not None:
                self.guard.restore(kept)

    def tidy(self) -> None:
        """Leave nothing of the removal's own where no plan is under way."""
        if self.guard.plan_id() is None:
            self.database.tidy()

    def listening(self) -> screams.Listening | None:
        """Give what is listened for by this plan, None when it does not listen."""
        wanted = screams.known(self.ctx)
        return wanted if wanted and wanted.plan_id == self.plan.plan_id else None


def address(ctx: Context) -> str:
    """Give the DSN that the removal works through."""
    legacy = ctx.config.legacy
    return ctx.reveal(legacy.direct_dsn or legacy.dsn)


@contextmanager
def site(ctx: Context, plan: PlanFile, *, read_only: bool) -> Iterator[Site]:
    """Open the application's database for a plan."""
    with open_removal(
        address(ctx), doing="the removal", read_only=read_only, wait_s=lock_wait_s(ctx)
    ) as database:
        yield Site(ctx, plan, database)


def lock_wait_s(ctx: Context) -> int:
    """Give how long a lock is waited for where the database counts whole seconds."""
    return wait_s(round(ctx.config.remove.lock_timeout.total_seconds() * 1000))


def holder_of(ctx: Context) -> str:
    """Give the name under which this operator holds the lease."""
    # The same for this operator's next try, so that nobody waits for a killed process's lease.
    return f"{socket.gethostname()}:{sha256(str(ctx.root).encode()).hexdigest()[:8]}"
