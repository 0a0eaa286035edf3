"""What two people have to agree to before a step of the removal, and to exactly what."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from migrator.core.approval import Matter
from migrator.core.errors import HeldError, UsageError
from migrator.runner.approving import approved
from migrator.sqlgen import steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.config.model import Config
    from migrator.legacy.guard import Evidence
    from migrator.runner.context import Context
    from migrator.sqlgen.planfile import PlanFile


@dataclass(frozen=True)
class Consent:
    """What the operator said beside the command.

    Attributes:
        reason: Why, for those who approve.
        confirmation: The plan's id, typed; counts only where there are no approvers.
    """

    reason: str = ""
    confirmation: str = ""


NONE = Consent()


def steps_with_approval(config: Config) -> frozenset[str]:
    """Give the steps that two people have to agree to.

    Raises:
        UsageError: The configuration names one that does not exist.
    """
    listed = frozenset(config.remove.approvals_for)
    if unknown := sorted(listed - frozenset(steps.NAMES)):
        raise UsageError(
            f"[remove] approvals_for: there is no step {', '.join(unknown)}; "
            f"there are: {', '.join(steps.NAMES)}",
            hint="edit [remove] in migrator.toml",
        )
    return listed


def require_code_first(plan: PlanFile, step: str) -> None:
    """Let nothing be taken away that the application's code still uses, as far as the plan has read it.

    Which builds run the SQL itself measures, in each transaction.

    Raises:
        HeldError: The code names what goes.
    """
    if plan.code_first and step >= steps.REVOKE:
        raise HeldError(
            f"step {step} takes away what the code still uses:\n"
            + "\n".join(f"  {point}" for point in plan.code_first),
            hint="mend and deploy it, then, after a revert of what is applied: migrator remove plan --app PATH; "
            'or accept it: acknowledged = ["code_first"] in [remove], and plan again',
        )


@contextmanager
def agreed(
    ctx: Context, plan: PlanFile, evidence: Evidence, target: str, consent: Consent
) -> Iterator[int | None]:
    """Do a step, or let it be done, in the block; where that needs approval, only with it.

    An approval is for this plan, step, evidence and database: with another one of them it is none.

    Args:
        ctx: The surroundings.
        plan: What is removed.
        evidence: Of the gates, for the step.
        target: The server and, after a space, the database.
        consent: What the operator said.

    Yields:
        The ledger's entry of the approval's use, None where none was needed.

    Raises:
        HeldError: Approvals or the confirmation are missing.
        RefusedError: The request was changed after it was asked for.
    """
    if evidence.step not in steps_with_approval(ctx.config):
        yield None
        return
    matter = Matter(
        purpose=f"remove apply {evidence.step}",
        name=plan.plan_id,
        words=(
            f"database {plan.database} on {target.partition(' ')[0]}",
            f"plan {plan.plan_id} of {plan.made_at}",
            f"tables to drop: {', '.join(plan.tables) or 'none'}",
            f"columns of {plan.users} to drop: {', '.join(plan.columns) or 'none'}",
        ),
        bound_to={
            "plan": plan.plan_hash,
            "evidence": evidence.evidence_hash,
            "target": sha256(target.encode()).hexdigest(),
        },
    )
    with approved(
        ctx, matter, reason=consent.reason, confirmation=consent.confirmation
    ) as approval:
        yield approval.entry
