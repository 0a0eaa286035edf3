"""Moves a removal forward and back, one recorded step at a time."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from migrator.core.errors import ConflictError, HeldError
from migrator.core.units import carrying, needs_session
from migrator.legacy.connect import open_postgres
from migrator.legacy.execute import Patience, run_file
from migrator.legacy.guard import Evidence, Guard
from migrator.runner.gating.guard import require_gates
from migrator.runner.listening import screams
from migrator.runner.removing.consent import NONE, Consent, agreed
from migrator.runner.switching import way_back
from migrator.sqlgen import steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.legacy.postgres import PostgresConnection
    from migrator.runner.context import Context
    from migrator.runner.gating.guard import GateStanding
    from migrator.sqlgen.planfile import PlanFile

SUBJECT = "remove"
APPLIED = "applied"


@dataclass(frozen=True)
class Site:
    """A plan and the database that it is for.

    Attributes:
        connection: In autocommit, allowed to write.
    """

    ctx: Context
    plan: PlanFile
    connection: PostgresConnection
    guard: Guard

    def states(self) -> dict[str, str]:
        """Give each step's state; all pending before the guard schema exists.

        Raises:
            ConflictError: Another plan is under way in this database.
        """
        under_way = self.guard.plan_id()
        if under_way is None:
            return dict.fromkeys(self.plan.steps, "pending")
        if under_way != self.plan.plan_id:
            raise ConflictError(
                f"plan {under_way} is under way in this database, not {self.plan.plan_id}",
                hint="finish or revert that one where it was made, then: migrator remove plan",
            )
        return {known.step: known.state for known in self.guard.steps()}

    def run(self, step: str, direction: str) -> None:
        """Run a step's file, going on after what is recorded as done."""
        skip = self.guard.done_units(step, direction) if self.guard.plan_id() else frozenset()
        run_file(
            self.connection,
            self._text(step, direction),
            skip=skip,
            patience=Patience(self.ctx.config.remove.lock_attempts, self.ctx.clock.sleep),
            oids=list(self.plan.oids),
            prepare=partial(self._prepare, step, direction),
        )

    def _text(self, step: str, direction: str) -> str:
        """Give a file as it has to be sent; one that a pooler would spoil is not begun."""
        file = f"{direction}/{step}.sql"
        text = self.plan.files[file]
        if not self.connection.pooled:
            return text
        if needs_session(text):
            raise HeldError(
                f"{file} has a part that commits on its way, and between here and the server is a pooler "
                "that gives each transaction another session",
                hint="set direct_dsn under [legacy] to the server itself, then the same command again",
            )
        return (
            text
            if self.guard.fence is None
            else carrying(text, "migrator.fence", self.guard.fence)
        )

    def _prepare(self, step: str, direction: str, unit: str) -> None:
        if step != steps.SCREAM_WINDOW or self.plan.unproven:
            return
        if direction == "revert":
            screams.end(self.ctx)
        elif direction == "deploy" and unit == "open":
            screams.begin(
                self.ctx,
                self.connection,
                plan_id=self.plan.plan_id,
                database=self.plan.database,
                names=self.plan.names,
            )
        elif direction == "deploy" and (wanted := self.listening()):
            heard, counted = screams.listen(self.ctx, self.connection, wanted)
            self.guard.heard(refusals=heard.count, counted=counted, unproven=heard.unproven)

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
    with open_postgres(address(ctx), doing="the removal", read_only=read_only) as connection:
        yield Site(ctx, plan, connection, Guard(connection))


def apply_steps(here: Site, names: tuple[str, ...], consent: Consent = NONE) -> tuple[str, ...]:
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
            standings = require_gates(here.ctx, SUBJECT)
            facts["gates"] = [standing.entry for standing in standings]
            evidence = evidence_for(here, name, standings)
            with agreed(here.ctx, here.plan, evidence, here.guard.target(), consent) as approval:
                facts["approval"] = approval
                _deploy(here, name, evidence)
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
        with _recorded(here, "revert", name), here.guard.leased(holder_name(here.ctx)):
            if state == "applying" and name not in steps.PIECEMEAL:
                here.guard.step_back(name)
            else:
                here.run(name, "revert")
        reverted.append(name)
    return tuple(reverted)


def _deploy(here: Site, name: str, evidence: Evidence) -> None:
    if name == steps.GUARD:
        here.run(name, "deploy")
        return
    with here.guard.leased(holder_name(here.ctx)):
        here.guard.present(evidence)
        here.run(name, "deploy")


def evidence_for(here: Site, name: str, standings: tuple[GateStanding, ...]) -> Evidence:
    """Put what the gates said into the form that the SQL looks for."""
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
        observe(here)


def observe(here: Site) -> None:
    """Remember how far the database says it is: steps may be applied by other means too."""
    applied = [step for step, state in here.states().items() if state == APPLIED]
    here.ctx.state.checkpoints.put(SUBJECT, APPLIED, applied)
    way_back.note_removal(here.ctx, way_back.closed_by(applied))


def holder_name(ctx: Context) -> str:
    """Give the name under which this operator holds the lease."""
    # The same for this operator's next try, so that nobody waits for a killed process's lease.
    return f"{socket.gethostname()}:{sha256(str(ctx.root).encode()).hexdigest()[:8]}"
