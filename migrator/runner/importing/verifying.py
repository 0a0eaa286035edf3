"""`migrator import verify`: both sides compared, and what differs written down."""

from __future__ import annotations

import json
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from typing import IO, TYPE_CHECKING

from migrator.core.errors import UsageError
from migrator.dashboards.reconciliation_page import render
from migrator.runner.importing.collector import memory_left_alone
from migrator.runner.importing.ends import open_target
from migrator.runner.importing.imports import SUBJECT, make_rules, open_ends
from migrator.runner.importing.pages import batches
from migrator.runner.importing.prefetch import prefetched
from migrator.runner.importing.reconcile import PAGE_ROWS, Reconciler, Reconciliation
from migrator.runner.importing.reconciliation_report import as_page
from migrator.runner.private_file import put_in_place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from migrator.auther.interface import Target
    from migrator.runner.context import Context
    from migrator.runner.importing.differences import Difference
    from migrator.runner.importing.imports import Ends


def compare_both_sides(ctx: Context, *, html: Path | None) -> Reconciliation:
    """Compare everybody and put the differences file in place, and the page where one is wanted.

    Args:
        ctx: The surroundings.
        html: Where the page goes, None for none.

    Raises:
        UsageError: Nothing was imported yet.
        DependencyError: A database cannot be read, or a file cannot be written.
    """
    with (
        open_ends(ctx, writing=False) as ends,
        open_target(ctx, writing=False) as target,
        _page(html) as page,
    ):
        if not ends.identities.exists():
            raise UsageError("nothing was imported yet", hint="migrator import run")
        with ctx.state.ledger.recorded(SUBJECT, "verify") as facts:
            with _differences(ctx.path(ctx.config.import_.differences_file)) as write:
                result = _compare(ctx, ends, target, write)
            if page is not None:
                page.write(render(as_page(ctx, result)))
            facts.update(_for_the_ledger(result))
    ctx.state.checkpoints.put(SUBJECT, "verified", result.holds())
    return result


def _for_the_ledger(result: Reconciliation) -> dict[str, object]:
    return {
        "read": result.read,
        "equal": result.equal,
        "differences": result.by_kind.total() + (not result.adds_up()),
        "kinds": dict(result.by_kind),
    }


def _page(html: Path | None) -> AbstractContextManager[IO[str] | None]:
    if html is None:
        return nullcontext()
    hint = "name another file after --html, then run the same again"
    return put_in_place(html, what="the page", hint=hint)


@contextmanager
def _differences(path: Path) -> Iterator[Callable[[Difference], None]]:
    hint = "make room or set import.differences_file in migrator.toml, then run the same again"
    with put_in_place(path, what="the file of differences", hint=hint) as file:

        def write(difference: Difference) -> None:
            file.write(json.dumps(asdict(difference), ensure_ascii=False) + "\n")

        yield write


def _compare(
    ctx: Context, ends: Ends, target: Target, write: Callable[[Difference], None]
) -> Reconciliation:
    rules = make_rules(ctx, ends.source)
    now_ms = round(ctx.clock.now().timestamp() * 1000)
    reconciler = Reconciler(
        ends.source, target, ends.identities, rules, now_ms=now_ms, write=write
    )
    total, rows = ends.source.estimated_users(), min(ctx.config.import_.page_rows, PAGE_ROWS)
    with (
        memory_left_alone(),
        batches(ctx, ends.source, rules, rows=rows, users=total) as pages,
        ctx.progress.task("Comparing both sides", total=total) as task,
        prefetched(map(reconciler.look, pages)) as looked,
    ):
        for page in looked:
            reconciler.compare(page)
            task.advance(len(page.batch))
    reconciler.orphans(id_column=ends.source.columns.parts["id"])
    reconciler.target_pages()
    return reconciler.result
