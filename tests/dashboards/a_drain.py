"""A drain that goes well, as the page gets it; the other states are made of it."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from migrator.dashboards.drain_picture import (
    CounterRow,
    DrainPicture,
    ForecastRow,
    GateRow,
    HomesRow,
    InstanceRow,
    Populations,
    SeenRow,
    SessionRow,
)
from migrator.dashboards.health_view import HealthRow
from migrator.dashboards.overview import (
    EntryRow,
    LedgerRow,
    LeftList,
    LeftRow,
    MoveRow,
    Overview,
    PersonRow,
    PhaseRow,
    SideRow,
)

AT = datetime(2026, 11, 23, 3, tzinfo=UTC)
BEGAN = AT - timedelta(days=4)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
NEVER = "nobody has looked yet: migrator drain watch"
WAIT = "migrator gate check --before {} --wait"


def gate(
    name: str, state: str, reason: str, *, before: str = "auther", **facts: object
) -> GateRow:
    row = GateRow(name, before, state, state, reason, 0.0, AT - MINUTE, None, None)
    return replace(row, **facts)  # type: ignore[arg-type]


def counts(
    *, days: float = 4, first: int = 48_200, half_life_h: float = 14
) -> tuple[tuple[datetime, int], ...]:
    """A drain that falls by half again and again, looked at every half hour."""
    steps = range(int(days * 48) + 1)
    return tuple(
        (BEGAN + step * timedelta(minutes=30), round(first * math.exp2(-step / 2 / half_life_h)))
        for step in steps
    )


def entries(*said: tuple[str, str, str]) -> tuple[EntryRow, ...]:
    return tuple(
        EntryRow(
            120 + n, AT - (len(said) - n) * 7 * MINUTE, what, kind, result, f"{n + 10:02x}" * 32
        )
        for n, (what, kind, result) in enumerate(said)
    )


LEDGER = LedgerRow(
    length=126,
    head="0f" * 32,
    entries=entries(
        ("stage set", "intent", ""),
        ("stage set", "outcome", "published"),
        ("stage followed", "note", ""),
        ("gate drain-quiet", "note", "HELD"),
        ("gate drain-sessions", "note", "FAILED"),
        ("gate drain-quiet", "note", "ACCUMULATING"),
    ),
    faults=(),
    checked_at=AT - MINUTE / 2,
    checked_to=126,
)
SIDES = (
    SideRow("import", "0 differences in all fields of all users", known=True, at=AT - DAY / 4),
    SideRow(
        "sync to Auther",
        "0 rows and 0s behind, 3 users in quarantine",
        known=True,
        at=AT - MINUTE / 6,
    ),
    SideRow(
        "write-back",
        "0s behind; 0 users could not sign in as usual after a rollback",
        known=True,
        at=AT - MINUTE / 4,
    ),
)
PHASES = (
    PhaseRow("preflight", "ready at 2026-11-02 08:10Z: 512,430 users, 2 warnings", (), ""),
    PhaseRow("import", "512,398 of 512,430 users are at Auther, every field compared", (), ""),
    PhaseRow("dual-path", "stage drain", (), ""),
    PhaseRow(
        "drain",
        "2 of 5 gates before auther passed",
        ("drain-quiet: ACCUMULATING, 5 of 12 OK in a row",),
        WAIT.format("auther"),
    ),
    PhaseRow("remove", "not planned", (), "migrator remove plan"),
)
MOVES = (
    MoveRow(AT - 20 * DAY, "set", "legacy", "dual 5 %", "published"),
    MoveRow(AT - 18 * DAY, "rollback", "dual 5 %", "legacy", "published"),
    MoveRow(AT - 16 * DAY, "set", "legacy", "dual 5 %", "published"),
    MoveRow(AT - 11 * DAY, "set", "dual 5 %", "dual 100 %", "published"),
    MoveRow(BEGAN, "set", "dual 100 %", "drain", "published"),
)
GATES = (
    gate(
        "drain-quiet",
        "ACCUMULATING",
        "5 of 12 OK in a row, 25m of 1d",
        label="ACCUMULATING 5/12",
        next_look=AT + 4 * MINUTE,
    ),
    gate("drain-sessions", "FAILED", "405 is above 0", value=405.0, next_look=AT + 4 * MINUTE),
    gate(
        "drain-traffic",
        "PASSED",
        "2103, at least 10, 24 times in a row over 1d",
        value=2103.0,
        good_until=AT + DAY - MINUTE,
    ),
    gate(
        "drain-conflicts",
        "PASSED",
        "0, at most 0, 288 times in a row over 1d",
        good_until=AT + DAY - MINUTE,
    ),
    gate(
        "sync-lag",
        "ACCUMULATING",
        "2 of 3 OK in a row",
        label="ACCUMULATING 2/3",
        value=12.0,
        next_look=AT + MINUTE,
    ),
)
SESSIONS = SessionRow(405, 12, 20_114, 0, (), endless=31)
LEFT = LeftList(
    AT - 4 * MINUTE,
    (
        LeftRow(
            "pinned",
            "they keep the legacy doors until stage auther and lose access then: help each to a second factor or an"
            " address that Auther takes (migrator user show EMAIL), or acknowledge the list",
            (
                PersonRow(
                    "u_3f9a1c0b22d4", "a…e@e…e.org", "pinned: second_factor, last seen 2026-11-22"
                ),
                PersonRow(
                    "u_90bb17e4c6a1", "b…b@e…e.org", "pinned: address, last seen 2026-10-02"
                ),
            ),
            more=False,
        ),
        LeftRow(
            "sessions",
            "they move when they come back in stage drain; a session without an end of its own ends at the deadline"
            " only (migrator dual-path stage show)",
            (PersonRow("u_51c2e8d7f003", "c…l@e…e.org", "3 sessions, the last ends 2026-11-24"),),
            more=True,
        ),
        LeftRow("remembered", "a token ends by itself after remember_for", (), more=False),
    ),
    homes=HomesRow(
        legacy=31_204,
        auther=481_194,
        pinned=32,
        seen=(
            SeenRow("1h", 3, 2_410),
            SeenRow("1d", 41, 61_302),
            SeenRow("7d", 388, 190_244),
            SeenRow("30d", 9_120, 227_238),
            SeenRow("90d", 0, 0),
            SeenRow("longer", 0, 0),
            SeenRow("never", 502_846, 31_204),
        ),
    ),
)
HEALTH = (
    HealthRow("error_ratio", 0.0004, "", {"counted": 3, "requests": 7_310}, "at most 0.05", "OK"),
    HealthRow(
        "sign_in_success",
        0.21,
        "",
        {"sign_ins": 44, "usual": 210, "within": "1h", "weeks": 3},
        "at least 0.3",
        "BREACH",
    ),
    HealthRow("sign_in_failures", 0.031, "", {"counted": 7, "sign-ins": 226}, "at most 0.2", "OK"),
    HealthRow("shim_p95_seconds", 0.0021, "", {}, "at most 0.05", "OK"),
    HealthRow(
        "jwks_failures", None, "no instance has fetched a key set yet", {}, "at most 3", "NO_DATA"
    ),
    HealthRow("login_refusals", 12.0, "", {"doors": {"form": 11, "json": 1}}),
)
DRAIN = DrainPicture(
    migration="shop",
    at=AT - MINUTE / 5,
    stage="drain",
    epoch=7,
    deadline=AT + 26 * DAY,
    bound=AT + 11 * DAY,
    bound_why="end of issuing + remember-me 14d + session 1d",
    forecasts=(ForecastRow(0, AT + 5 * DAY, AT + 7 * DAY, "how the count fell", None, 12),),
    sessions=SESSIONS,
    counters=(
        CounterRow("web-1", "legacy", "accepted", 120_900, 3, "browser"),
        CounterRow("web-1", "legacy", "accepted", 2_600, 1, "app"),
        CounterRow("web-1", "auther", "accepted", 2_512_000, 310, "browser"),
        CounterRow("web-1", "none", "anonymous", 902, 12, "api"),
        CounterRow("web-1", "both", "refused", 3, 0, "browser"),
        CounterRow("web-2", "legacy", "accepted", 119_800, 1, "browser"),
        CounterRow("web-2", "auther", "accepted", 2_401_000, 298, "browser"),
        CounterRow("web-2", "none", "anonymous", 870, 10, "api"),
    ),
    looked_before=AT - MINUTE / 5 - MINUTE / 2,
    addresses=2,
    scraped=2,
    controlled=2,
    alive=2,
    expected="web-1, web-2",
    doubts=(),
    step="auther",
    gates=(GATES[0], GATES[2], GATES[3], GATES[4]),
    next_command=WAIT.format("auther"),
    instances=(
        InstanceRow("web-1", "follows", "2026.47.1", "drain", 7, "live", AT - MINUTE / 4),
        InstanceRow("web-2", "follows", "2026.47.1", "drain", 7, "live", AT - MINUTE / 3),
    ),
    began=BEGAN,
    curve=counts(),
    health=HEALTH,
    populations=Populations(
        SESSIONS, remember_me=2_210, remember_me_recent=340, foreign_requests=0
    ),
)
ACCUMULATING = Overview(
    AT,
    DRAIN,
    DRAIN.at,
    late=False,
    phases=PHASES,
    moves=MOVES,
    sides=SIDES,
    ledger=LEDGER,
    evidence=(),
    left=LEFT,
)


def with_phases(over: Overview, **states: PhaseRow) -> Overview:
    known = {row.name: row for row in over.phases}
    changed = {row.name: row for row in states.values()}
    return replace(over, phases=tuple((known | changed).values()))
