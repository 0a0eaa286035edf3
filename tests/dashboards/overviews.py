"""A cutover in each of its states, as the page gets it."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from migrator.dashboards.drain_picture import (
    CounterRow,
    DrainPicture,
    ForecastRow,
    GateRow,
    InstanceRow,
    SessionRow,
)
from migrator.dashboards.overview import (
    EntryRow,
    EvidenceRow,
    LedgerRow,
    MoveRow,
    Overview,
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
        "sync to Auther", "0 rows behind, 3 users in quarantine", known=True, at=AT - MINUTE / 6
    ),
    SideRow(
        "write-back",
        "0 users could not sign in as usual after a rollback",
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
DRAIN = DrainPicture(
    migration="shop",
    at=AT - MINUTE / 5,
    stage="drain",
    epoch=7,
    deadline=AT + 26 * DAY,
    bound=AT + 11 * DAY,
    bound_why="end of issuing + remember-me 14d + session 1d",
    forecasts=(ForecastRow(0, AT + 5 * DAY, AT + 7 * DAY, "how the count fell", None, 12),),
    sessions=SessionRow(405, 12, 20_114, 0, ()),
    counters=(
        CounterRow("web-1", "legacy", "accepted", 123_500, 4),
        CounterRow("web-1", "auther", "accepted", 2_512_000, 310),
        CounterRow("web-1", "none", "anonymous", 902, 12),
        CounterRow("web-1", "both", "refused", 3, 0),
        CounterRow("web-2", "legacy", "accepted", 119_800, 1),
        CounterRow("web-2", "auther", "accepted", 2_401_000, 298),
        CounterRow("web-2", "none", "anonymous", 870, 10),
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
)


def with_phases(over: Overview, **states: PhaseRow) -> Overview:
    known = {row.name: row for row in over.phases}
    changed = {row.name: row for row in states.values()}
    return replace(over, phases=tuple((known | changed).values()))


_BEFORE = replace(
    DRAIN,
    stage="not set",
    epoch=0,
    deadline=None,
    bound=None,
    bound_why="no bound: legacy sessions are still issued",
    forecasts=(ForecastRow(0, None, None, "legacy sessions are still issued", None, 0),),
    began=None,
    curve=(),
    step="dual",
)
NOTHING_YET = replace(
    with_phases(
        ACCUMULATING,
        a=PhaseRow("preflight", "not begun", (), "migrator preflight"),
        b=PhaseRow("import", "not begun", (), "migrator import plan"),
        c=PhaseRow(
            "dual-path",
            "no shim generated",
            (),
            "migrator dual-path generate --target rails --out DIR",
        ),
        d=PhaseRow("drain", "0 of 2 gates before dual passed", (), WAIT.format("dual")),
    ),
    picture=replace(
        _BEFORE,
        forecasts=(ForecastRow(0, None, None, NEVER, None, 0),),
        sessions=SessionRow(0, 0, 0, 0, (NEVER,)),
        counters=(),
        looked_before=None,
        scraped=0,
        controlled=0,
        alive=0,
        instances=(),
        doubts=(NEVER,),
        gates=tuple(
            gate(
                name,
                "PENDING",
                "nothing was measured yet",
                before="dual",
                value=None,
                measured_at=None,
                next_look=AT,
            )
            for name in ("import-parity", "sync-lag")
        ),
    ),
    looked_at=None,
    moves=(),
    sides=(
        SideRow("import", "never verified: migrator import verify", known=False, at=None),
        SideRow("sync to Auther", "no pass yet: migrator import sync", known=False, at=None),
        SideRow("write-back", "no pass yet: migrator import write-back", known=False, at=None),
    ),
    ledger=LedgerRow(0, "0" * 64, (), None, None, 0),
)
LEGACY = replace(
    with_phases(
        ACCUMULATING,
        c=PhaseRow("dual-path", "no stage published", (), "migrator dual-path stage set dual"),
        d=PhaseRow("drain", "1 of 2 gates before dual passed", (), WAIT.format("dual")),
    ),
    picture=replace(
        _BEFORE,
        sessions=SessionRow(48_200, 12, 20_114, 0, ()),
        instances=tuple(
            replace(row, stage="dual", epoch=0, source="baked") for row in DRAIN.instances
        ),
        gates=(
            gate(
                "import-parity",
                "PASSED",
                "0, at most 0, 1 times in a row over 0s",
                before="dual",
                good_until=AT + DAY,
            ),
            gate(
                "sync-lag",
                "HELD",
                "NO_DATA: no pass yet: migrator import sync",
                before="dual",
                value=None,
                next_look=AT + MINUTE,
            ),
        ),
    ),
    moves=(),
)
DUAL = replace(
    with_phases(
        ACCUMULATING,
        c=PhaseRow(
            "dual-path", "stage dual 25 %", (), "migrator dual-path stage set dual --percent 50"
        ),
        d=PhaseRow("drain", "0 of 3 gates before drain passed", (), WAIT.format("drain")),
    ),
    picture=replace(
        _BEFORE,
        stage="dual 25 %",
        epoch=4,
        step="drain",
        sessions=SessionRow(41_870, 12, 20_114, 0, ()),
        instances=(
            replace(DRAIN.instances[0], stage="dual", epoch=4),
            replace(DRAIN.instances[1], stage="dual", epoch=3, state="behind", source="cached"),
        ),
        gates=tuple(
            gate(
                name,
                "ACCUMULATING",
                "3 of 12 OK in a row, 15m of 1d",
                before="drain",
                label="ACCUMULATING 3/12",
                next_look=AT + 2 * MINUTE,
            )
            for name in ("dual-traffic", "dual-conflicts", "dual-verification")
        ),
    ),
    moves=MOVES[:3],
)
_GAP = counts()
HELD = replace(
    ACCUMULATING,
    picture=replace(
        DRAIN,
        sessions=SessionRow(391, 12, 18_020, 2, ("2 rows cannot be decoded and may hold a user",)),
        scraped=1,
        controlled=1,
        alive=1,
        counters=DRAIN.counters[:4],
        forecasts=(ForecastRow(0, None, None, "the last count is 9h old", None, 12),),
        curve=(*_GAP[:90], *_GAP[120:175]),
        doubts=(
            "http://10.0.0.6:3000 does not answer: connection refused",
            "web-2 was last heard of 9h 4m ago",
        ),
        instances=(
            DRAIN.instances[0],
            replace(
                DRAIN.instances[1], state="silent", heard_at=AT - timedelta(hours=9, minutes=4)
            ),
            InstanceRow("web-3", "never reported"),
        ),
        gates=(
            gate(
                "drain-quiet",
                "HELD",
                "ERROR: http://10.0.0.6:3000 does not answer: connection refused; web-2 was last heard of 9h 4m ago",
                value=4.0,
                next_look=AT + 3 * MINUTE,
            ),
            gate(
                "drain-sessions",
                "HELD",
                "AMBIGUOUS: 2 rows cannot be decoded and may hold a user",
                value=391.0,
                next_look=AT + 3 * MINUTE,
            ),
            gate(
                "drain-traffic",
                "EXPIRED",
                "the pass ended at 2026-11-23T01:00:00.000000Z",
                next_look=AT,
            ),
            gate(
                "drain-conflicts",
                "INVALIDATED",
                "the gate was changed after it was measured: counting begins anew",
                value=None,
                measured_at=None,
                next_look=AT,
            ),
        ),
    ),
)
FAILED = replace(ACCUMULATING, picture=replace(DRAIN, gates=(*GATES[:2], *GATES[2:4])))
PASSED = with_phases(
    replace(
        ACCUMULATING,
        picture=replace(
            DRAIN,
            sessions=SessionRow(0, 12, 20_114, 0, ()),
            curve=(
                *counts(days=3.5),
                *((BEGAN + 3.5 * DAY + n * 30 * MINUTE, 0) for n in range(1, 25)),
            ),
            forecasts=(
                ForecastRow(0, AT - DAY / 2, AT - DAY / 2, "no more than 0 are left", 5.4, 12),
            ),
            gates=tuple(
                gate(
                    name,
                    "PASSED",
                    "0, at most 0, 290 times in a row over 1d",
                    good_until=AT + DAY - MINUTE,
                )
                for name in ("drain-quiet", "drain-sessions", "drain-traffic", "drain-conflicts")
            ),
            next_command="migrator dual-path stage set auther",
        ),
    ),
    d=PhaseRow(
        "drain", "4 of 4 gates before auther passed", (), "migrator dual-path stage set auther"
    ),
)
AUTHER = replace(
    with_phases(
        PASSED,
        c=PhaseRow("dual-path", "stage auther", (), ""),
        d=PhaseRow(
            "drain",
            "1 of 2 gates before remove passed",
            ("removal-quiet: HELD",),
            WAIT.format("remove"),
        ),
    ),
    picture=replace(
        PASSED.picture,
        stage="auther",
        epoch=8,
        step="remove",
        deadline=AT - 3 * DAY,
        bound=AT - 3 * DAY,
        bound_why="stage auther refuses legacy sessions",
        instances=tuple(replace(row, stage="auther", epoch=8) for row in DRAIN.instances),
        gates=(
            gate(
                "removal-quiet",
                "HELD",
                "STALE: http://10.0.0.5:3000 answers with samples that are 1h old",
                before="remove",
                next_look=AT + MINUTE,
            ),
            gate(
                "removal-sessions",
                "PASSED",
                "0, at most 0, 3 times in a row over 15m",
                before="remove",
                good_until=AT + 13 * MINUTE,
            ),
        ),
    ),
    moves=(*MOVES, MoveRow(AT - 3 * DAY, "set", "drain", "auther", "published")),
)
REMOVED = with_phases(
    replace(AUTHER, late=True, looked_at=AT - 9 * DAY),
    d=PhaseRow("drain", "ended: the removal has begun", (), ""),
    e=PhaseRow("remove", "removed; the archive is kept, a revert is possible", (), ""),
)
UNREACHABLE = replace(
    ACCUMULATING,
    picture=replace(
        DRAIN,
        sessions=SessionRow(
            0, 0, 0, 0, ("the application's database does not answer: connection refused",)
        ),
        counters=(),
        scraped=0,
        controlled=0,
        alive=0,
        instances=(),
        forecasts=(ForecastRow(0, None, None, "the last count is 7h old", None, 12),),
        curve=DRAIN.curve[:-14],
        doubts=(
            "http://10.0.0.5:3000 does not answer: connection refused",
            "http://10.0.0.6:3000 does not answer: connection refused",
            "migrator_instance: the application's database does not answer: connection refused",
        ),
        gates=tuple(
            replace(
                row,
                state="HELD",
                label="HELD",
                value=None,
                good_until=None,
                next_look=AT + 2 * MINUTE,
                reason="ERROR: the application's database does not answer: connection refused",
            )
            for row in DRAIN.gates
        ),
    ),
)
LOST = replace(
    ACCUMULATING,
    lost="the state database failed: unable to open database file",
    lost_since=AT - MINUTE / 2,
)
LATE = replace(
    ACCUMULATING,
    late=True,
    looked_at=AT - timedelta(hours=2),
    picture=replace(DRAIN, at=AT - timedelta(hours=2)),
)
STATES: dict[str, Overview] = {
    "nothing-yet": NOTHING_YET,
    "legacy": LEGACY,
    "dual": DUAL,
    "drain-accumulating": ACCUMULATING,
    "held-by-missing-data": HELD,
    "failed-gate": FAILED,
    "passed": PASSED,
    "auther": AUTHER,
    "removed": REMOVED,
    "source-unreachable": UNREACHABLE,
    "state-lost": LOST,
    "nobody-looks": LATE,
}
EVIDENCE = tuple(
    EvidenceRow(row.gate, row.state, f"{n + 1:02x}" * 32, f"{n + 100:02x}" * 32, 290)
    for n, row in enumerate(PASSED.picture.gates)
)
