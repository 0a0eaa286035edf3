"""What a comparison says, in words, for the terminal and for the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.clock import iso
from migrator.dashboards.reconciliation_page import SHOWN, Difference, ReconciliationPage, Row

if TYPE_CHECKING:
    from migrator.runner.context import Context
    from migrator.runner.importing.reconcile import Reconciliation


def counted(result: Reconciliation) -> list[Row]:
    """Give users by outcome, each with what it means."""
    return [
        Row("users read", result.read),
        Row("equal in every field", result.equal),
        Row("left to Auther", result.left_to_auther, "moved, or linked at a login"),
        Row("rejected", result.rejected, "rightly not at Auther"),
        Row("differing", result.differing),
        Row("others' users", result.foreign, "at Auther, not ours, not looked at"),
        *(Row(str(kind), n, "changed by Auther itself") for kind, n in result.allowed.items()),
    ]


def as_page(ctx: Context, result: Reconciliation) -> ReconciliationPage:
    """Make out what the page says, as of now."""
    return ReconciliationPage(
        migration=ctx.config.migration.name,
        at=iso(ctx.clock.now()),
        holds=result.holds(),
        counts=counted(result),
        kinds=[Row(kind, count) for kind, count in sorted(result.by_kind.items())],
        shown=[Difference(d.kind, d.pk, d.auther_id, d.detail) for d in result.shown[:SHOWN]],
        file=ctx.config.import_.differences_file.name,
    )
