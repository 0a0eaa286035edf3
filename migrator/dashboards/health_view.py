"""Draws how well the cutover goes: 80 columns, readable without colour."""

from __future__ import annotations

# Types are read at run time, by whatever reads a kept row.
from collections.abc import Mapping  # noqa: TC003
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

COLUMNS = 80
_SHARES = frozenset({"error_ratio", "sign_in_failures"})


@dataclass(frozen=True)
class HealthRow:
    """One measure.

    Attributes:
        value: None when it is not known.
        why: Why it is not known; '' otherwise.
        evidence: What it is read from.
        bound: What it is held against, in words; '' where the configuration says nothing about it.
        verdict: `OK`, `BREACH`, or why it is neither, e.g. `NO_DATA`; '' without a bound.
    """

    measure: str
    value: float | None
    why: str
    evidence: Mapping[str, Any]
    bound: str = ""
    verdict: str = ""


@dataclass(frozen=True)
class RegressRow:
    """What is watched behind a step.

    Attributes:
        broken: Of the newest samples, how many in a row broke the bound.
        needed: How many do for certain.
        acts: The stage goes back by itself then.
    """

    name: str
    measure: str
    bound: str
    broken: int
    needed: int
    acts: bool


@dataclass(frozen=True)
class HealthPicture:
    """One look at health.

    Attributes:
        window: What most of it is counted in, e.g. `5m`.
    """

    migration: str
    at: datetime
    stage: str
    window: str
    rows: tuple[HealthRow, ...]
    regresses: tuple[RegressRow, ...]


def health_lines(picture: HealthPicture) -> list[str]:
    """Give the view's lines, none longer than the width."""
    made = [
        f"health of {picture.migration}   {picture.at:%Y-%m-%d %H:%M:%S}Z",
        f"stage {picture.stage}; counted within {picture.window}, sign-ins within 1h",
        *(_row(row) for row in picture.rows),
        "watched behind the last step" + ("" if picture.regresses else ": nothing"),
        *(_regress(row) for row in picture.regresses),
    ]
    return [line if len(line) <= COLUMNS else line[: COLUMNS - 1] + "…" for line in made]


def _row(row: HealthRow) -> str:
    if row.value is None:
        return f"  {row.measure:<19} {'unknown':>9}  {row.why}"
    return f"  {row.measure:<19} {value_of(row):>9}  {facts_of(row)}".rstrip()


def value_of(row: HealthRow) -> str:
    """Give the value as people read it."""
    if row.value is None:
        return "unknown"
    if row.measure in _SHARES:
        return f"{row.value:.2%}"
    if row.measure == "shim_p95_seconds":
        return f"{row.value * 1000:.1f} ms"
    return f"{row.value:.2f}".rstrip("0").rstrip(".")


def facts_of(row: HealthRow) -> str:
    """Say what the value is read from."""
    facts = row.evidence.items()
    said = [f"{name} {_said(value)}" for name, value in facts if value not in ({}, "")]
    return ", ".join(said)


def _said(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name} {count}" for name, count in value.items())
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _regress(row: RegressRow) -> str:
    then = "then the stage goes back" if row.acts else "then it is announced"
    count = f"{row.broken} of {row.needed} in a row broken, {then}"
    return f"  {row.name:<19} {row.measure} {row.bound}: {count}"
