"""Moves a removal forward and back, one recorded step at a time."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from migrator.core.errors import ConflictError
from migrator.legacy.connect import open_postgres
from migrator.legacy.execute import Patience, run_file, run_unit, units_of
from migrator.legacy.guard import Evidence, Guard
from migrator.runner.gating.guard import let_through
from migrator.runner.listening import screams
from migrator.runner.removing import finished
from migrator.runner.switching import way_back
from migrator.sqlgen import steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.runner.context import Context
    from migrator.runner.gating.guard import GateStanding
    from migrator.sqlgen.planfile import PlanFile

SUBJECT = "remove"
APPLIED = "applied"
# Transactions whose SQL wants to know that nobody was refused, by a look of the last minutes.
_NEEDS_QUIET = frozenset(
    {
        (steps.SCREAM_WINDOW, "close"),
        (steps.QUARANTINE_TABLES, "move"),
        (steps.PURGE_TABLES, "drop"),
    }
)


@dataclass(frozen=True)
class Site:
    """A plan and the database that it is for.

    Attributes:
        connection: In autocommit, allowed to write.
    """

    ctx: Context
    plan: PlanFile
    connection: Any
    guard: Guard

    def states(self) -> dict[str, str]:
        """Give each step's state; all pending before the guard schema exists.

        Raises:
            ConflictError: Another plan is under way in this database.
        """
        under_way = self.guard.plan_id()
        if under_way is None:
            over = finished.record(self.ctx, self.plan) is not None
            return dict.fromkeys(self.plan.steps, APPLIED if over else "pending")
        if under_way != self.plan.plan_id:
            raise ConflictError(
                f"plan {under_way} is under way in this database, not {self.plan.plan_id}",
                hint="finish or revert that one where it was made, then: migrator remove plan",
            )
        return {known.step: known.state for known in self.guard.steps()}

    @property
    def _patience(self) -> Patience:
        return Patience(self.ctx.config.remove.lock_attempts, self.ctx.clock.sleep)

    def run(self, step: str, direction: str) -> None:
        """Run a step's file, going on after what is recorded as done."""
        skip = self.guard.done_units(step, direction) if self.guard.plan_id() else frozenset()
        run_file(
            self.connection,
            self.plan.files[f"{direction}/{step}.sql"],
            skip=skip,
            patience=self._patience,
            oids=list(self.plan.oids),
            prepare=partial(self._prepare, step, direction),
        )

    def _prepare(self, step: str, direction: str, unit: str) -> None:
        if step == steps.FINALIZE:
            self._before_the_end(direction, unit)
        if self.plan.unproven:
            return
        if (step, direction) == (steps.SCREAM_WINDOW, "revert"):
            screams.end(self.ctx)
        elif (step, direction, unit) == (steps.SCREAM_WINDOW, "deploy", "open"):
            screams.begin(
                self.ctx,
                self.connection,
                plan_id=self.plan.plan_id,
                database=self.plan.database,
                names=self.plan.names,
            )
        elif direction == "deploy" and (step, unit) in _NEEDS_QUIET:
            self._listen()

    def _listen(self) -> None:
        if wanted := self.listening():
            heard, counted = screams.listen(self.ctx, self.connection, wanted)
            self.guard.heard(refusals=heard.count, counted=counted, unproven=heard.unproven)

    def reopen(self) -> None:
        """Make the guard schema again that the last step removed; the revert of that step goes on from there."""
        reopening = units_of(self.plan.files[f"revert/{steps.FINALIZE}.sql"])[0]
        run_unit(self.connection, reopening, patience=self._patience, oids=[])

    def _before_the_end(self, direction: str, unit: str) -> None:
        if direction == "deploy":
            finished.keep(self.ctx, self.plan, self.guard.record())
        elif direction == "revert" and unit == "settle":
            kept = finished.record(self.ctx, self.plan)
            if kept is not None:
                self.guard.restore(kept)

    def listening(self) -> screams.Listening | None:
        """Give what is listened for by this plan, None when it does not listen."""
        wanted = screams.known(self.ctx)
        return wanted if wanted and wanted.plan_id == self.plan.plan_id else None


@contextmanager
def site(ctx: Context, plan: PlanFile, *, read_only: bool) -> Iterator[Site]:
    """Open the application's database for a plan."""
    dsn = ctx.reveal(ctx.config.legacy.dsn)
    with open_postgres(dsn, doing="the removal", read_only=read_only) as connection:
        yield Site(ctx, plan, connection, Guard(connection))


def apply_steps(here: Site, names: tuple[str, ...]) -> tuple[str, ...]:
    """Apply steps that are not applied yet, in order.

    Interrupted anywhere, the same call goes on; each step's gates are asked again before it.

    Returns:
        The steps that were applied now.

    Raises:
        RefusedError: A gate fails, or content differs from its archive.
        HeldError: A gate is not passed, or a lock is not to be had.
        ConflictError: Another operator or plan is at work.
        DependencyError: The database failed; try again.
    """
    applied = []
    for name in names:
        state = here.states()[name]
        if state == APPLIED:
            continue
        if state == "reverting":
            raise ConflictError(
                f"step {name} is half reverted",
                hint="take it back to its end first: migrator remove revert, with --to as before",
            )
        with _recorded(here, "apply", name) as facts:
            standings = let_through(here.ctx, SUBJECT)
            facts["gates"] = [standing.entry for standing in standings]
            _deploy(here, name, standings)
        applied.append(name)
    return tuple(applied)


def revert_steps(here: Site, names: tuple[str, ...]) -> tuple[str, ...]:
    """Take steps back, in the order given; a step that left nothing behind is only noted.

    Interrupted anywhere, the same call goes on. No gate is asked.

    Raises:
        HeldError: A lock is not to be had.
        RefusedError: What came back differs from the archive; that transaction is undone.
        ConflictError: Another operator or plan is at work.
        DependencyError: The database failed; try again.
    """
    reverted = []
    for name in names:
        state = here.states()[name]
        if state == "pending":
            continue
        with _recorded(here, "revert", name):
            if name != steps.FINALIZE:
                finished.forget(here.ctx)
            elif here.guard.plan_id() is None:
                here.reopen()
            _take_back(here, name, state)
        reverted.append(name)
    return tuple(reverted)


def _take_back(here: Site, name: str, state: str) -> None:
    with here.guard.leased(_holder(here.ctx)):
        if state == "applying" and name not in steps.PIECEMEAL:
            here.guard.step_back(name)
        else:
            here.run(name, "revert")


def _deploy(here: Site, name: str, standings: tuple[GateStanding, ...]) -> None:
    if name == steps.GUARD:
        here.run(name, "deploy")
        return
    with here.guard.leased(_holder(here.ctx)):
        here.guard.present(_evidence(here, name, standings))
        here.run(name, "deploy")


def _evidence(here: Site, name: str, standings: tuple[GateStanding, ...]) -> Evidence:
    now = here.ctx.clock.now()
    ends = [(s.good_until - now).total_seconds() for s in standings if s.good_until is not None]
    content = json.dumps([(s.gate, s.spec_hash, s.evidence_hash) for s in standings])
    return Evidence(
        step=name,
        plan_id=here.plan.plan_id,
        plan_hash=here.plan.plan_hash,
        evidence_hash=sha256(content.encode()).hexdigest(),
        seconds=min([*ends, here.ctx.config.remove.evidence_valid_for.total_seconds()]),
    )


@contextmanager
def _recorded(here: Site, action: str, name: str) -> Iterator[dict[str, Any]]:
    ledger = here.ctx.state.ledger
    with ledger.recorded(SUBJECT, f"{action} {name}", plan=here.plan.plan_hash) as facts:
        yield facts
        applied = _applied(here)
        here.ctx.state.checkpoints.put(SUBJECT, APPLIED, applied)
        way_back.note_removal(here.ctx, way_back.closed_by(applied))


def _applied(here: Site) -> list[str]:
    return [step for step, state in here.states().items() if state == APPLIED]


def _holder(ctx: Context) -> str:
    # The same for this operator's next try, so that nobody waits for a killed process's lease.
    return f"{socket.gethostname()}:{sha256(str(ctx.root).encode()).hexdigest()[:8]}"
