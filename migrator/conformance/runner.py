"""Runs cases against an application: stage by stage, the key set's own cases last."""

from __future__ import annotations

import time
import traceback
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from migrator.conformance.case import Result
from migrator.conformance.interface import (
    DUAL,
    CannotRunError,
    Failed,
    MismatchError,
    NotRun,
    Passed,
)
from migrator.core.errors import MigratorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from migrator.conformance.bench import Bench
    from migrator.conformance.case import Case
    from migrator.conformance.interface import At, Outcome


def in_order(cases: Iterable[Case]) -> list[Case]:
    """Put cases of the same position together, so that the switch moves seldom.

    The order of the registry holds within a position, and positions come as they first occur.
    """
    by_position: dict[tuple[bool, At], list[Case]] = {}
    for case in cases:
        by_position.setdefault((case.last, case.at), []).append(case)
    order = sorted(by_position, key=lambda key: key[0])
    return [case for key in order for case in by_position[key]]


def run(
    bench: Bench, cases: Sequence[Case], *, after_each: Callable[[Result], None]
) -> tuple[Result, ...]:
    """Run cases; the scene is as before each of them.

    Args:
        bench: The application.
        cases: Any, in any order.
        after_each: Is told each result.

    Raises:
        DependencyError: The application's database fails.
    """
    ordered = in_order(cases)
    ready = [case for case in ordered if not _lacks(bench, case)]
    hindrances = _stock(bench, ready)
    results = []
    for case in ordered:
        began = time.monotonic()
        outcome = hindrances.get(case.title) or _outcome(bench, case)
        results.append(Result(case, outcome, time.monotonic() - began))
        after_each(results[-1])
    return tuple(results)


def _outcome(bench: Bench, case: Case) -> Outcome:
    reason = _lacks(bench, case)
    if reason:
        return NotRun(reason)
    return _tried(partial(_checked, bench, case)) or Passed()


def _checked(bench: Bench, case: Case) -> None:
    bench.scene.restore()
    bench.set_stage(case.at)
    bench.prepared = bench.kept.get(case.title)
    case.check(bench)


def _tried(work: Callable[[], None]) -> Failed | NotRun | None:
    """Do something of a case; None when all went well."""
    try:
        work()
    except MismatchError as error:
        return error.failed
    except CannotRunError as error:
        return NotRun(str(error))
    except MigratorError:
        raise
    except Exception as error:  # noqa: BLE001 (whatever an application answers, the other cases are run)
        return _stumbled(error)
    return None


def _stumbled(error: Exception) -> Failed:
    """Say where a case could not go on; the error's own text may hold a token."""
    *_, last = traceback.extract_tb(error.__traceback__)
    where = f"{type(error).__name__} at line {last.lineno} of {Path(last.filename).name}"
    return Failed("the requests of this case", "answers that the case can read", where)


def _stock(bench: Bench, cases: Sequence[Case]) -> dict[str, Failed | NotRun]:
    """Do what has to be done while the legacy form is open; gives what came of it where it failed."""
    found: dict[str, Failed | NotRun] = {}
    for case in cases:
        trouble = _tried(partial(_stocked, bench, case))
        if trouble is not None:
            found[case.title] = trouble
    return found


def _stocked(bench: Bench, case: Case) -> None:
    if case.prepare is not None:
        bench.set_stage(DUAL)
        bench.kept[case.title] = case.prepare(bench)
    if not case.at.issues_legacy:
        for name in case.sessions:
            bench.set_stage(DUAL)
            bench.stock(name)


def _lacks(bench: Bench, case: Case) -> str:
    """Say what a case needs and this deployment or profile does not have."""
    missing = [need.value for need in case.needs if need in bench.site.missing]
    unknown = [name for name in (*case.people, *case.sessions) if name not in bench.people]
    missing += [f"no canary named {name} in {bench.profile.people}" for name in unknown]
    return "; ".join(missing)


def failed(results: Iterable[Result]) -> tuple[Result, ...]:
    """Give those that failed."""
    return tuple(result for result in results if isinstance(result.outcome, Failed))


def not_run(results: Iterable[Result]) -> tuple[Result, ...]:
    """Give those of which nothing is known."""
    return tuple(result for result in results if isinstance(result.outcome, NotRun))
