"""Events that take the ground away from what was measured before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.gates.subject import LASTING
from migrator.runner.stages import ROLLBACK, SET, SUBJECT

if TYPE_CHECKING:
    from migrator.gates.spec import GateSpec
    from migrator.runner.context import Context
    from migrator.state.ledger import Entry

_OF_THE_IMPORT = frozenset({"import_differences", "canaries_refused"})
_WRITES_USERS = frozenset({"run", "rollback"})


def beginning(ctx: Context, spec: GateSpec) -> Entry | None:
    """Give the ledger's entry from which on a gate's measurements count, None for all of them.

    What was quiet in another stage, or before a way back, says nothing of this one. What the import
    wrote stays as it is, and the sync and the write-back go on.
    """
    if spec.measure in LASTING:
        return None
    moves = [e for e in ctx.state.ledger.entries(subject=SUBJECT) if _begins_anew(e)]
    return moves[-1] if moves else None


def overtaken_by(ctx: Context, spec: GateSpec, *, since: Entry) -> str | None:
    """Name what happened after a verdict and takes its ground away, None when nothing did."""
    move = beginning(ctx, spec)
    if move is not None and move.seq > since.seq:
        return f"the stage was changed at {move.at} (ledger entry {move.seq}, {move.action})"
    if spec.measure not in _OF_THE_IMPORT:
        return None
    for entry in ctx.state.ledger.entries(subject="import"):
        if entry.seq > since.seq and entry.action in _WRITES_USERS:
            return f"the import wrote again at {entry.at} (ledger entry {entry.seq})"
    return None


def _begins_anew(entry: Entry) -> bool:
    """Tell whether a ledger entry is a rollback, another stage, or a smaller percentage."""
    if entry.action == ROLLBACK:
        return True
    before, after = entry.body.get("before"), entry.body.get("after")
    if entry.action != SET or not isinstance(before, dict) or not isinstance(after, dict):
        return False
    if before.get("stage") != after.get("stage"):
        return True
    return float(after.get("percent", 0)) < float(before.get("percent", 0))
