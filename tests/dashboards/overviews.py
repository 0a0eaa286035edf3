"""A cutover in each of its states, as the page gets it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from migrator.dashboards.drain_picture import ForecastRow, InstanceRow, Populations, SessionRow
from migrator.dashboards.overview import (
    EvidenceRow,
    LedgerRow,
    MoveRow,
    Overview,
    PhaseRow,
    SideRow,
)
from tests.dashboards.a_drain import (
    ACCUMULATING,
    AT,
    BEGAN,
    DAY,
    DRAIN,
    GATES,
    MINUTE,
    MOVES,
    NEVER,
    WAIT,
    counts,
    gate,
    with_phases,
)

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
        populations=None,
        health=(),
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
    left=None,
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
_UNSEEN = tuple(
    replace(
        row,
        value=None,
        evidence={},
        verdict="NO_DATA",
        why="every instance was seen in 0% of the last 5m, 90% needed",
    )
    for row in DRAIN.health
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
        counters=DRAIN.counters[:5],
        health=_UNSEEN,
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
        populations=Populations(
            SessionRow(0, 0, 0, 0, ()),
            doubts=("remember-me tokens: the database does not answer",),
        ),
        health=_UNSEEN,
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
