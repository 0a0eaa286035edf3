"""The page's parts and the saved report as HTML; every value is escaped. Pure."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from migrator.core.clock import iso
from migrator.dashboards.chart import Chart, chart
from migrator.dashboards.health_view import facts_of, value_of
from migrator.dashboards.html import environment
from migrator.dashboards.overview import REMOVED
from migrator.dashboards.requests import GROUPS, client_cells, request_cells

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from jinja2 import Template

    from migrator.dashboards.overview import Overview

WIDE, NARROW = (1080, 300), (340, 250)
STEPS = ("legacy", "dual", "drain", "auther", REMOVED)
# In the order of the page; `said` is read out and not seen.
ORDER = (
    *("stage", "next", "figures", "curve", "gates", "doubts", "health", "people", "users"),
    *("requests", "left", "instances", "sides", "history", "ledger"),
)
LINKS = {
    "next": "Verdict",
    "curve": "Curve",
    "gates": "Gates",
    "doubts": "Not known",
    "health": "Health",
    "people": "Populations",
    "users": "Users",
    "requests": "Requests",
    "left": "Who is left",
    "instances": "Instances",
    "sides": "In step",
    "history": "History",
    "ledger": "Ledger",
}
TONES = {
    "PASSED": "passed",
    "REMOVED": "passed",
    "OVERRIDDEN": "overridden",
    "FAILED": "failed",
    "ACCUMULATING": "accumulating",
    "HELD": "held",
    "EXPIRED": "held",
    "INVALIDATED": "held",
}
TABLE_ROWS = 14
ASSETS = files("migrator.dashboards") / "assets"


@dataclass(frozen=True)
class Request:
    """What a saved report asks for.

    Attributes:
        what: The change, in words.
        command: What would be run.
        approvers: Who is asked.
        way_back: How the change is undone.
    """

    what: str
    command: str
    approvers: tuple[str, ...]
    way_back: str


def parts(over: Overview, *, printed: bool = False) -> dict[str, str]:
    """Give the page's parts by id; a part's text changes only when what it says does.

    Args:
        over: One reading of the state.
        printed: For paper: what a person could open is open.
    """
    shared = _values(over, printed=printed)
    names = ("said", *ORDER)
    return {name: _template(f"{name}.html.j2").render(shared).strip() for name in names}


def document(over: Overview, made: Mapping[str, str], *, mark: str, measuring: bool) -> str:
    """Give the whole page.

    Args:
        over: What `made` was made of.
        made: The parts.
        mark: Which version of them this is.
        measuring: The server takes the gates' samples itself.
    """
    return _template("page.html.j2").render(
        over=over,
        mark=mark,
        measuring=measuring,
        order=ORDER,
        links=LINKS.items(),
        fragments=made,
    )


def report(over: Overview, request: Request | None) -> str:
    """Give a change request as one file without a script that loads nothing.

    Args:
        over: What it rests on.
        request: What is asked for; None where nothing is left to ask for, which makes it a record.
    """
    style = asset("page.css").decode()
    made = parts(over, printed=True)
    return _template("report.html.j2").render(
        over=over,
        printed=True,
        request=request,
        evidence_hash=evidence_hash(over),
        style=style,
        style_hash=base64.b64encode(sha256(style.encode()).digest()).decode(),
        order=ORDER,
        fragments=made,
    )


def evidence_hash(over: Overview) -> str:
    """Identify what a decision rests on: the gates with their samples, the stage, the ledger's head."""
    content: dict[str, Any] = {
        "step": over.picture.step,
        "epoch": over.picture.epoch,
        "ledger": [over.ledger.length, over.ledger.head],
        "gates": [asdict(row) for row in over.evidence],
    }
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@cache
def asset(name: str) -> bytes:
    """Read a file that the page needs."""
    return (ASSETS / name).read_bytes()


def _values(over: Overview, *, printed: bool) -> dict[str, Any]:
    picture = over.picture
    wide, narrow = (
        chart(picture, now=over.at, width=width, height=height) for width, height in (WIDE, NARROW)
    )
    others = picture.populations.doubts if picture.populations else ()
    stale = (over.unknown.rstrip("."),) if over.unknown and over.looked_at else ()
    return {
        "over": over,
        "printed": printed,
        "said": _said(over),
        "steps": _steps(over),
        "sentence": _sentence(over),
        "held": _held(over),
        "wide": wide,
        "narrow": narrow,
        "described": _described(over, wide) if wide else "",
        "rows": _table(over),
        "groups": GROUPS,
        "health": [(row, value_of(row), facts_of(row)) for row in picture.health],
        "counted": request_cells(picture.counters),
        "kinds": client_cells(picture.counters),
        "doubts": tuple(
            dict.fromkeys((*stale, *picture.doubts, *picture.sessions.doubts, *others))
        ),
    }


def _said(over: Overview) -> str:
    """Say in a sentence what a person must hear when it changes, and nothing that changes all the time."""
    gates = ", ".join(f"{row.gate} {row.state}" for row in over.picture.gates)
    known = f" {over.unknown}" if over.unknown else ""
    return f"{over.decision} before {over.picture.step}.{known} {gates}".strip()


def _steps(over: Overview) -> list[dict[str, str]]:
    here = STEPS.index(over.stage) if over.stage in STEPS else 0
    notes = {"legacy": "no document published" if not over.picture.epoch else ""}
    if over.picture.epoch and over.stage != REMOVED:
        share = over.picture.stage.partition(" ")[2]
        notes[over.stage] = f"{share}, epoch {over.picture.epoch}".removeprefix(", ")
    places = ("done", "here", "ahead")
    return [
        {
            "name": name,
            "place": places[(number >= here) + (number > here)],
            "note": notes.get(name, "") or ("here now" if number == here else ""),
        }
        for number, name in enumerate(STEPS)
    ]


def _sentence(over: Overview) -> str:
    gates, step = over.picture.gates, over.picture.step
    if over.stage == REMOVED:
        return "The legacy tables and columns are removed."
    passed = sum(row.state in {"PASSED", "OVERRIDDEN"} for row in gates)
    if not gates:
        return f"No gate guards {step}."
    when = "When it was read last, " if over.lost else ""
    return f"{when}{passed} of {len(gates)} gates before {step} passed."


def _held(over: Overview) -> tuple[str, ...]:
    """Give what holds the phase that comes next, but for its gates, which have a table of their own."""
    phase = next((row for row in over.phases if row.next_command), None)
    if phase is None or over.lost:
        return ()
    gates = tuple(f"{row.gate}: " for row in over.picture.gates)
    return tuple(said for said in phase.held if not said.startswith(gates or ("no gate ",)))


def _described(over: Overview, drawn: Chart) -> str:
    picture = over.picture
    (first_at, first), (last_at, last) = picture.curve[0], picture.curve[-1]
    said = [f"From {first:,} at {stamp(first_at)} to {last:,} at {stamp(last_at)}."]
    if drawn.gaps:
        said.append(f"Nobody counted in {len(drawn.gaps)} stretches of that time.")
    for word, at in (("bound", picture.bound), ("deadline", picture.deadline)):
        said.append(f"The {word} is {stamp(at)}." if at else f"There is no {word}.")
    soon = picture.forecasts[0]
    if soon.p50 and soon.p90:
        said.append(f"Forecast: P50 {stamp(soon.p50)}, P90 {stamp(soon.p90)}.")
    else:
        said.append(f"No forecast: {soon.why}.")
    return " ".join(said)


def _table(over: Overview) -> tuple[tuple[datetime, int], ...]:
    curve = over.picture.curve
    step = max(-(-len(curve) // TABLE_ROWS), 1)
    return curve[:-1:step] + curve[-1:]


def stamp(at: datetime, seconds: bool = False) -> str:  # noqa: FBT001, FBT002
    """Give a time as people read it."""
    return f"{at:%Y-%m-%d %H:%M:%S}Z" if seconds else f"{at:%Y-%m-%d %H:%M}Z"


FILTERS = {
    "iso": lambda at: iso(at).replace(".000000", ""),
    "stamp": stamp,
    "day": lambda at: f"{at:%Y-%m-%d}",
    "day_of_year": lambda at: f"{at:%m-%d}",
    "clock": lambda at, seconds: f"{at:%H:%M:%S}Z" if seconds else f"{at:%H:%M}Z",
    "tone": lambda word: TONES.get(word, "unknown"),
}


@cache
def _template(name: str) -> Template:
    environment().filters.update(FILTERS)
    return environment().get_template(f"dashboard/{name}")
