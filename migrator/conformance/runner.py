"""Runs cases against an application: stage by stage, the key set's own cases last."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from migrator.conformance.interface import (
    CannotRunError,
    Failed,
    MismatchError,
    NotRun,
    Passed,
    Result,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from migrator.conformance.bench import Bench
    from migrator.conformance.interface import At, Case, Outcome


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
    ready = [case for case in in_order(cases) if not _lacks(bench, case)]
    try:
        bench.stock(_sessions_wanted(ready))
        hindrance = ""
    except CannotRunError as error:
        hindrance = str(error)
    results = []
    for case in in_order(cases):
        reason = _lacks(bench, case) or (hindrance if case.sessions else "")
        began = time.monotonic()
        outcome = NotRun(reason) if reason else _outcome(bench, case)
        results.append(Result(case, outcome, time.monotonic() - began))
        after_each(results[-1])
    return tuple(results)


def _outcome(bench: Bench, case: Case) -> Outcome:
    try:
        bench.scene.restore()
        bench.set_stage(case.at)
        case.check(bench)
    except MismatchError as error:
        return error.failed
    except CannotRunError as error:
        return NotRun(str(error))
    return Passed()


def _lacks(bench: Bench, case: Case) -> str:
    """Say what a case needs and this deployment or profile does not have."""
    missing = [need.value for need in case.needs if need in bench.site.missing]
    unknown = [name for name in (*case.people, *case.sessions) if name not in bench.people]
    missing += [f"no canary named {name} in {bench.profile.people}" for name in unknown]
    return "; ".join(missing)


def _sessions_wanted(cases: Iterable[Case]) -> Counter[str]:
    return Counter(name for case in cases if not case.at.issues_legacy for name in case.sessions)


def failed(results: Iterable[Result]) -> tuple[Result, ...]:
    """Give those that failed."""
    return tuple(result for result in results if isinstance(result.outcome, Failed))


def not_run(results: Iterable[Result]) -> tuple[Result, ...]:
    """Give those of which nothing is known."""
    return tuple(result for result in results if isinstance(result.outcome, NotRun))
