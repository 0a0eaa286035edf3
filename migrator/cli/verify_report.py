"""How the conformance suite's results look: a line for each group, then what failed and why."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from migrator.conformance.interface import Failed, NotRun, Passed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from migrator.conformance.case import Case, Result

_WORDS = {Passed: "passed", Failed: "failed", NotRun: "not run"}


def results_data(url: str, results: Sequence[Result]) -> dict[str, Any]:
    """Give the results for programs."""
    return {
        "url": url,
        "counts": {word: _counts(results)[word] for word in _WORDS.values()},
        "cases": [_case_data(result) for result in results],
    }


def listed(cases: Iterable[Case]) -> list[dict[str, Any]]:
    """Give the cases for programs."""
    return [
        {
            "name": case.title,
            "rule": case.rule,
            "stage": case.at.stage,
            "needs": sorted(need.name.lower() for need in case.needs),
        }
        for case in cases
    ]


def show_list(out: Console, cases: Sequence[Case]) -> None:
    """Show each case and the rule that it proves."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("case", overflow="fold", max_width=44)
    table.add_column("what it proves", overflow="fold")
    for case in cases:
        table.add_row(Text(case.title), Text(case.rule))
    out.print(table)
    out.print(f"{len(cases)} cases")


def show_results(out: Console, results: Sequence[Result]) -> None:
    """Show the groups, then each case that failed or could not be run, then the sum."""
    _show_groups(out, results)
    for result in results:
        if isinstance(result.outcome, Failed):
            _show_failure(out, result, result.outcome)
    _show_not_run(out, results)
    counts = _counts(results)
    took_s = sum(result.took_s for result in results)
    said = ", ".join(f"{counts[word]} {word}" for word in _WORDS.values())
    out.print(f"\n{said}, {took_s:.0f} s", style="bold")


def _show_groups(out: Console, results: Sequence[Result]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("group")
    for word in _WORDS.values():
        table.add_column(word, justify="right")
    groups = dict.fromkeys(result.case.group for result in results)
    for group in groups:
        counts = _counts(result for result in results if result.case.group == group)
        red = "red" if counts["failed"] else ""
        table.add_row(
            Text(group),
            str(counts["passed"]),
            Text(str(counts["failed"] or ""), style=red),
            str(counts["not run"] or ""),
        )
    out.print(table)


def _show_failure(out: Console, result: Result, found: Failed) -> None:
    out.print()
    out.print(Text(f"FAILED {result.case.title}", style="bold red"))
    rows = {
        "rule": result.case.rule,
        "sent": found.sent,
        "expected": found.expected,
        "came back": found.came_back,
        "mend": result.case.mend,
    }
    for name, text in rows.items():
        out.print(Text(f"  {name + ':':<11}{text}"), soft_wrap=True)


def _show_not_run(out: Console, results: Sequence[Result]) -> None:
    reasons: dict[str, list[str]] = {}
    for result in results:
        if isinstance(result.outcome, NotRun):
            reasons.setdefault(result.outcome.reason, []).append(result.case.title)
    for reason, titles in reasons.items():
        out.print()
        out.print(Text(f"NOT RUN: {reason}", style="yellow"), soft_wrap=True)
        for title in titles:
            out.print(Text(f"  {title}"))


def _case_data(result: Result) -> dict[str, Any]:
    case, outcome = result.case, result.outcome
    data: dict[str, Any] = {
        "name": case.title,
        "outcome": _WORDS[type(outcome)],
        "rule": case.rule,
        "took_s": round(result.took_s, 3),
    }
    match outcome:
        case Failed(sent, expected, came_back):
            data |= {"sent": sent, "expected": expected, "came_back": came_back}
            data["mend"] = result.case.mend
        case NotRun(reason):
            data["reason"] = reason
        case Passed():
            pass
    return data


def _counts(results: Iterable[Result]) -> Counter[str]:
    return Counter(_WORDS[type(result.outcome)] for result in results)
