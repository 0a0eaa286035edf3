"""Lets a step's SQL run by other means than `migrator remove apply`, behind the same gates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.core.errors import ConflictError
from migrator.runner.removing import finished
from migrator.runner.removing.consent import NONE, Consent, require_code_first
from migrator.runner.removing.removal import APPLIED, SUBJECT, behind_gates
from migrator.runner.switching import way_back
from migrator.sqlgen import steps

if TYPE_CHECKING:
    from migrator.legacy.guard import Evidence
    from migrator.runner.removing.site import Site


@dataclass(frozen=True)
class Permit:
    """What was written where the SQL looks for it.

    Attributes:
        seconds: How long the step may begin.
    """

    step: str
    evidence_hash: str
    seconds: float


def permit_step(here: Site, name: str, consent: Consent = NONE) -> Permit:
    """Ask a step's gates and approvers, and write their evidence into the guard schema.

    From here on the way back of the stage counts as closed by the step: whether it was run afterwards only the database
    knows. `migrator remove status` looks.

    Raises:
        ConflictError: It is not this step's turn, or it is one that only `migrator` can do.
        HeldError: A gate is not passed, or the step is not approved.
        RefusedError: A gate failed.
    """
    states = here.states()
    missing = [step for step in here.plan.steps if step < name and states[step] != APPLIED]
    if missing:
        raise ConflictError(
            f"step {missing[0]} comes before {name}",
            hint=f"migrator remove permit {missing[0]} and its SQL, or migrator remove apply --to {missing[0]}",
        )
    if states[name] not in {"pending", "applying"}:
        raise ConflictError(f"step {name} is {states[name]}", hint="migrator remove status")
    if name == steps.SCREAM_WINDOW and not here.plan.unproven:
        raise ConflictError(
            f"step {name} listens in the server's log, which SQL alone cannot",
            hint=f"migrator remove apply --to {name}",
        )
    require_code_first(here.plan, name)
    recorded = here.ctx.state.ledger.recorded
    with recorded(SUBJECT, f"permit {name}", plan=here.plan.plan_hash) as facts:
        with behind_gates(here, name, consent, facts) as (evidence, _):
            _present(here, evidence)
        applied = [step for step, state in states.items() if state == APPLIED]
        way_back.note_removal(here.ctx, way_back.closed_by([*applied, name]))
    return Permit(name, evidence.evidence_hash, evidence.seconds)


def _present(here: Site, evidence: Evidence) -> None:
    # The first step makes the schema that evidence is kept in; it touches nothing of the application's.
    if evidence.step != steps.GUARD:
        here.guard.present(evidence)
        if evidence.step == steps.QUARANTINE_COLUMNS and here.plan.listens:
            here.begin_to_listen()
        else:
            here.listen()
    # The last step takes away what the way back from it needs to know.
    if evidence.step == steps.FINALIZE:
        finished.keep(here.ctx, here.plan, here.guard.record(), here.guard.target())
