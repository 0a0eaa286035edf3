"""Overrides: people let a step through that a gate holds, once, within the hour, and sign for it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from migrator.core.approval import CLOCK_MARGIN, Matter
from migrator.core.clock import iso, parse_iso
from migrator.core.errors import RefusedError
from migrator.core.events import Event
from migrator.gates.override import GOOD_FOR, why_not
from migrator.gates.spec import REMOVE
from migrator.gates.verdict import GateState
from migrator.runner.approving import approved
from migrator.runner.gating.overtaken import overtaken_by
from migrator.runner.notifying.announcing import announce
from migrator.runner.stages import current

if TYPE_CHECKING:
    from datetime import datetime

    from migrator.gates.spec import GateSpec
    from migrator.gates.verdict import Verdict
    from migrator.runner.context import Context
    from migrator.state.ledger import Entry

SUBJECT = "override"
GIVEN, SPENT = "given", "spent"
DOUBTS = "doubts"


@dataclass(frozen=True)
class Override:
    """One that lets through now.

    Attributes:
        entry: Its number in the ledger.
        words: Who gave it, how and why.
    """

    entry: int
    until: datetime
    words: str


def override(ctx: Context, spec: GateSpec, *, reason: str, confirmation: str = "") -> Override:
    """Let a gate through once, by two approvers, or a second confirmation where there are none.

    Interrupted, the approval is spent and no override was given: ask anew.

    Args:
        ctx: The surroundings.
        spec: The gate; its last verdict is what is overridden.
        reason: Why, for the approvers and the ledger.
        confirmation: The gate's name, typed; counts only where there are no approvers.

    Raises:
        RefusedError: An invariant: this cannot be overridden.
        HeldError: It is not approved yet.
    """
    verdict, refusal = _verdict(ctx, spec), refusal_of(ctx, spec)
    if verdict is None or refusal:
        raise RefusedError(
            f"{spec.name} cannot be overridden: {refusal}",
            hint=f"migrator gate explain {spec.name}",
        )
    matter = _matter(ctx, spec, verdict)
    with approved(ctx, matter, reason=reason, confirmation=confirmation) as approval:
        entry = ctx.state.ledger.note(
            SUBJECT,
            spec.name,
            event=GIVEN,
            verdict=verdict.seq,
            bound_to=dict(matter.bound_to),
            expires_at=iso(ctx.clock.now() + GOOD_FOR),
            way=approval.kind,
            approvers=list(approval.approvers),
            approval=approval.entry,
            reason=reason,
        )
    given = _read(entry)
    announce(ctx, _news(spec, given))
    return given


def refusal_of(ctx: Context, spec: GateSpec) -> str:
    """Say why a gate cannot be overridden now, '' when it can; by its last verdict in the ledger."""
    verdict = _verdict(ctx, spec)
    if verdict is None:
        return why_not(spec, GateState.PENDING, doubted=False)
    state, age = GateState(verdict.body["state"]), ctx.clock.now() - parse_iso(verdict.at)
    if verdict.body.get("spec_hash") != spec.hash or overtaken_by(ctx, spec, since=verdict):
        state = GateState.INVALIDATED
    elif age > spec.good_for:
        state = GateState.EXPIRED
    return why_not(spec, state, doubted=bool(verdict.body.get("evidence", {}).get(DOUBTS)))


def override_of(ctx: Context, spec: GateSpec) -> Override | None:
    """Give the override that lets a gate through now; None when it is spent, over, or about something else."""
    entries = [e for e in ctx.state.ledger.entries(subject=SUBJECT) if e.action == spec.name]
    if not entries or entries[-1].body["event"] != GIVEN:
        return None
    entry, now = entries[-1], ctx.clock.now()
    in_time = parse_iso(entry.at) - CLOCK_MARGIN <= now <= parse_iso(entry.body["expires_at"])
    verdict = _verdict(ctx, spec)
    if not in_time or verdict is None or verdict.seq != entry.body["verdict"]:
        return None
    same = entry.body["bound_to"] == _bound_to(ctx, spec, verdict)
    return _read(entry) if same else None


def with_override(ctx: Context, verdict: Verdict) -> Verdict:
    """Give a verdict as it is, or OVERRIDDEN where somebody lets it through."""
    given = None if verdict.state.lets_through else override_of(ctx, verdict.gate)
    if given is None:
        return verdict
    reason = f"{given.words}; without that {verdict.label}, {verdict.reason}"
    state = GateState.OVERRIDDEN
    return replace(verdict, state=state, reason=reason, good_until=given.until)


def spend(ctx: Context, gate: str, *, given: int, step: str) -> None:
    """Write down that a step begins by an override; it lets nothing else through."""
    ctx.state.ledger.note(SUBJECT, gate, event=SPENT, given=given, step=step)


def _verdict(ctx: Context, spec: GateSpec) -> Entry | None:
    return ctx.state.ledger.latest("gate", spec.name, kind="note")


def _matter(ctx: Context, spec: GateSpec, verdict: Entry) -> Matter:
    body = verdict.body
    document = current(ctx)
    at = "before the first stage" if document is None else f"in stage {document.stage}"
    asked = f"{spec.measure} {spec.bound_in_words}"
    words = (
        f"the gate {spec.name} ({asked}) is {body['state']}: {body['reason']}",
        f"it shall let {spec.before} begin all the same, once, {at}",
    )
    bound_to = _bound_to(ctx, spec, verdict)
    return Matter(f"gate override {spec.name}", spec.name, words, bound_to)


def _bound_to(ctx: Context, spec: GateSpec, verdict: Entry) -> dict[str, str]:
    """Give the hashes of what is approved; another stage document or another plan is something else."""
    document = current(ctx)
    target = [ctx.config.migration.name, spec.before, document.epoch if document else 0]
    bound = {
        "spec": spec.hash,
        "evidence": str(verdict.body["evidence_hash"]),
        "target": sha256(json.dumps(target).encode()).hexdigest(),
    }
    if spec.before == REMOVE:
        kept = ctx.state.checkpoints.get(REMOVE, "plan")
        bound["plan"] = str(kept["plan_hash"]) if kept else ""
    return bound


def _read(entry: Entry) -> Override:
    body = entry.body
    who = " and ".join(body["approvers"]) or body["way"]
    return Override(
        entry.seq, parse_iso(body["expires_at"]), f"overridden by {who} ({body['reason']})"
    )


def _news(spec: GateSpec, given: Override) -> Event:
    return Event(
        "gate",
        f"gate {spec.name} before {spec.before}: OVERRIDDEN until {iso(given.until)}",
        (given.words,),
        {"gate": spec.name, "step": spec.before, "to": str(GateState.OVERRIDDEN)},
    )
