"""Events that end what was measured before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrator.gates.spec import GateSpec
    from migrator.runner.context import Context
    from migrator.state.ledger import Entry

_WRITES_USERS = frozenset({"run", "rollback"})


def beginning(ctx: Context, spec: GateSpec) -> Entry | None:
    """Give the ledger's entry from which on a gate's measurements count, None for all of them.

    A stage rollback sets the legacy path going again: what was quiet before says nothing now. What
    the import wrote stays as it is.
    """
    if spec.measure == "import_differences":
        return None
    back = [e for e in ctx.state.ledger.entries(subject="stage") if e.action == "rollback"]
    return back[-1] if back else None


def overtaken_by(ctx: Context, spec: GateSpec, *, since: Entry) -> str | None:
    """Name what happened after a verdict and takes its ground away, None when nothing did."""
    rollback = beginning(ctx, spec)
    if rollback is not None and rollback.seq > since.seq:
        return f"the stage was rolled back at {rollback.at} (ledger entry {rollback.seq})"
    if spec.measure != "import_differences":
        return None
    for entry in ctx.state.ledger.entries(subject="import"):
        if entry.seq > since.seq and entry.action in _WRITES_USERS:
            return f"the import wrote again at {entry.at} (ledger entry {entry.seq})"
    return None
