"""What is known of a removal after its last step took the guard schema away."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from migrator.legacy.guard import Archived

if TYPE_CHECKING:
    from migrator.runner.context import Context
    from migrator.sqlgen.planfile import PlanFile

SUBJECT, FINISHED = "remove", "finished"


def keep(ctx: Context, plan: PlanFile, record: dict[str, Any], target: str) -> None:
    """Keep what only the guard schema knows, before it goes; it counts once the schema is gone.

    Args:
        ctx: The surroundings.
        plan: Which comes to its end.
        record: As the guard gives it.
        target: The database that it is of.
    """
    kept = {"plan_id": plan.plan_id, "record": record, "target": target}
    ctx.state.checkpoints.put(SUBJECT, FINISHED, kept)


def target(ctx: Context) -> str:
    """Give the database that a removal came to its end in; empty where that is not known."""
    return str((ctx.state.checkpoints.get(SUBJECT, FINISHED) or {}).get("target", ""))


def record(ctx: Context, plan: PlanFile) -> dict[str, Any] | None:
    """Give what was kept of a plan, None when it never came to its end."""
    found = ctx.state.checkpoints.get(SUBJECT, FINISHED)
    if found is None or found["plan_id"] != plan.plan_id:
        return None
    return cast("dict[str, Any]", found["record"])


def archives(record: dict[str, Any]) -> tuple[Archived, ...]:
    """Give the archives that a record tells of."""
    return tuple(
        Archived(
            row["name"],
            row["rows"],
            row["sha256"],
            datetime.fromisoformat(row["archived_at"]),
            row["manifest_sha256"] or "",
            row["erased"],
            datetime.fromisoformat(row["drilled_at"]) if row["drilled_at"] else None,
        )
        for row in record["archives"]
    )


def note_erasures(ctx: Context, plan: PlanFile, name: str, erased: int) -> None:
    """Keep how many rows of a table's files may not come back."""
    kept = record(ctx, plan)
    if kept is not None:
        for row in kept["archives"]:
            row["erased"] = erased if row["name"] == name else row["erased"]
        keep(ctx, plan, kept, target(ctx))


def forget(ctx: Context) -> None:
    """Forget it: the guard schema is there again and knows."""
    ctx.state.checkpoints.drop(SUBJECT, FINISHED)
