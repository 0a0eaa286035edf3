"""Lets a step begin only behind gates whose last verdict is a pass that still holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from migrator.core.clock import parse_iso
from migrator.core.errors import HeldError, RefusedError
from migrator.gates.spec import GateSpec, specs_before
from migrator.gates.verdict import GateState, decide
from migrator.runner.gating.overriding import override_of, spend
from migrator.runner.gating.overtaken import overtaken_by

if TYPE_CHECKING:
    from datetime import datetime

    from migrator.runner.context import Context
    from migrator.state.ledger import Entry


@dataclass(frozen=True)
class GateStanding:
    """What the ledger says of one gate.

    Attributes:
        good_until: End of the pass, None without one.
        evidence_hash: SHA-256 of the samples behind the verdict, hex; empty without a verdict.
        entry: The verdict's number in the ledger, 0 without one.
        override: The number of the override that lets it through, 0 without one.
    """

    gate: str
    state: GateState
    reason: str
    spec_hash: str
    good_until: datetime | None = None
    evidence_hash: str = ""
    entry: int = 0
    override: int = 0


def require_gates(ctx: Context, step: str) -> tuple[GateStanding, ...]:
    """Let a step begin, or say what holds it.

    Reads the ledger only: `migrator gate check` measures and writes the verdicts.

    Args:
        ctx: The surroundings.
        step: A stage (`dual`, `drain`, `auther`) or `remove`.

    Returns:
        The verdicts that let it through, for the step's own ledger entry.

    Raises:
        RefusedError: A gate's last verdict is FAILED.
        HeldError: A verdict is missing, expired, overtaken or not a pass; or the step has no gate.
    """
    found = standings(ctx, step)
    hint = f"migrator gate check --before {step}"
    if not found:
        raise HeldError(
            f"no gate guards {step}: an empty list proves nothing",
            hint=f'add a [[gates]] with before = "{step}" to migrator.toml, then: {hint}',
        )
    decision = decide([standing.state for standing in found])
    if decision.lets_through:
        return found
    error = RefusedError if decision is GateState.FAILED else HeldError
    raise error(f"{step} is held by its gates:\n{_in_words(found)}", hint=hint)


def let_through(ctx: Context, step: str) -> tuple[GateStanding, ...]:
    """Let a step begin that begins now: like `require_gates`, and each override in it is spent.

    Raises:
        RefusedError: A gate's last verdict is FAILED.
        HeldError: A verdict is missing, expired, overtaken or not a pass; or the step has no gate.
    """
    found = require_gates(ctx, step)
    for standing in found:
        if standing.state is GateState.OVERRIDDEN:
            spend(ctx, standing.gate, given=standing.override, step=step)
    return found


def standings(ctx: Context, step: str) -> tuple[GateStanding, ...]:
    """Say where each gate of a step stands by the ledger, without measuring."""
    return tuple(standing_of(ctx, spec) for spec in specs_before(ctx.config, step))


def standing_of(ctx: Context, spec: GateSpec) -> GateStanding:
    """Say where one gate stands by its newest verdict in the ledger, and by an override of it."""
    measured = measured_standing(ctx, spec)
    given = None if measured.state.lets_through else override_of(ctx, spec)
    if given is None:
        return measured
    return replace(
        measured,
        state=GateState.OVERRIDDEN,
        reason=f"{given.words}; without that {measured.state}, {measured.reason}",
        good_until=given.until,
        override=given.entry,
    )


def measured_standing(ctx: Context, spec: GateSpec) -> GateStanding:
    """Say where one gate stands by its newest verdict alone."""
    entry = ctx.state.ledger.latest("gate", spec.name, kind="note")
    if entry is None:
        return GateStanding(spec.name, GateState.PENDING, "never checked", spec.hash)
    state, reason = _now(ctx, spec, entry)
    until = entry.body.get("good_until")
    return GateStanding(
        spec.name,
        state,
        reason,
        spec.hash,
        good_until=parse_iso(until) if until else None,
        evidence_hash=str(entry.body.get("evidence_hash", "")),
        entry=entry.seq,
    )


def _now(ctx: Context, spec: GateSpec, entry: Entry) -> tuple[GateState, str]:
    body = entry.body
    state, reason = GateState(body["state"]), str(body.get("reason", ""))
    if body.get("spec_hash") != spec.hash:
        return GateState.INVALIDATED, "the gate was changed after its last verdict"
    if state is not GateState.PASSED:
        return state, reason
    if (event := overtaken_by(ctx, spec, since=entry)) is not None:
        return GateState.INVALIDATED, event
    if not body.get("good_until") or parse_iso(body["good_until"]) < ctx.clock.now():
        return GateState.EXPIRED, f"the pass ended at {body.get('good_until')}"
    if parse_iso(entry.at) > ctx.clock.now() + spec.longest_gap:
        return GateState.HELD, f"the pass was written at {entry.at}, which is still to come"
    return state, reason


def _in_words(found: tuple[GateStanding, ...]) -> str:
    return "\n".join(
        f"  {standing.gate}: {standing.state}, {standing.reason}"
        for standing in found
        if not standing.state.lets_through
    )
