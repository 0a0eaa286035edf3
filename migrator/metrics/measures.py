"""What can be measured: from a look to one value with its doubts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from migrator.core.clock import iso
from migrator.metrics import auther_measures, homes_measures
from migrator.metrics.base import Base, Beside, Mark, since
from migrator.metrics.both_sides import AutherLook, SyncLook, WriteBackLook
from migrator.metrics.clients import CLIENTS, UNKNOWN
from migrator.metrics.holes import hole_doubts, hole_marks
from migrator.metrics.instances import coverage_doubts
from migrator.metrics.interface import (
    Doubt,
    FactLook,
    FleetLook,
    Grade,
    Labels,
    Reading,
    ShimsLook,
)
from migrator.metrics.losses import ends
from migrator.metrics.written import Written, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import timedelta

    from migrator.config.gate import Measurement
    from migrator.metrics.interface import Process
    from migrator.metrics.look import Look

SourceName = Literal[
    "shims",
    "fleet",
    "sessions",
    "remembered",
    "import_check",
    "sync_check",
    "write_back_check",
    "auther",
    "passwords",
    "homes",
    "health",
    "canary_check",
    "shadow_check",
    "capacity_check",
    "pinned_users",
    "rehearsal",
    "refusals",
]
CONFLICTS = frozenset({"conflict", "auth_conflict", "identity_unlinked"})


@dataclass(frozen=True)
class Terms:
    """What a gate adds to a measurement.

    Attributes:
        expected: Names of the instances that must report, or how many there are at least.
        within: After what silence an instance counts as gone.
        control: Whether the marker must have been counted on every instance.
        base: Where counting begins; None at a gate's first look.
    """

    expected: int | tuple[str, ...]
    within: timedelta
    control: bool
    base: Base | None


@dataclass(frozen=True)
class Measure:
    """One measurement: the sources it needs and how it is read from them."""

    sources: frozenset[SourceName]
    read: Callable[[Look, Terms], Reading]


def _counted(matches: Callable[[Labels], bool]) -> Measure:
    def read(look: Look, terms: Terms) -> Reading:
        shims, fleet = look.shims or ShimsLook(), look.fleet or FleetLook()
        marks = _marks(shims, look, matches)
        doubts = [*shims.all_doubts, *(_control_doubts(shims) if terms.control else ())]
        doubts += coverage_doubts(
            fleet, scraped=marks.keys(), expected=terms.expected, within=terms.within
        )
        told = Written()
        if shims.by_process:
            total = partial(_total, matches=matches)
            told = written(terms.base, marks, fleet, total=total, within=terms.within)
        torn = hole_doubts(shims.processes, terms.base)
        lost = [*told.lost, *(doubt.reason for doubt in torn)]
        if terms.base is not None:
            lost += ends(
                terms.base, marks, fleet, within=terms.within, at=look.at, told=told.names
            )
        compared = {name: mark for name, mark in marks.items() if name not in told.names}
        kept = marks | hole_marks(shims.processes, at=look.at)
        return since(
            terms.base,
            compared,
            at=look.at,
            doubts=[*doubts, *torn, *told.doubts],
            lost=lost,
            beside=Beside(kept, told.counts, told.register),
        )

    return Measure(frozenset({"shims", "fleet"}), read)


def _marks(shims: ShimsLook, look: Look, matches: Callable[[Labels], bool]) -> dict[str, Mark]:
    return {
        process.instance: Mark(process.started_at_s, _total(process, matches), look.at)
        for process in shims.processes
    }


def _total(process: Process, matches: Callable[[Labels], bool]) -> float:
    return sum(value for labels, value in process.requests.items() if matches(labels))


def _control_doubts(shims: ShimsLook) -> list[Doubt]:
    return [
        Doubt(
            Grade.UNPROVEN,
            f"{shim.process.instance} did not count the marker ({shim.control_note})",
        )
        for shim in shims.shims
        if shim.process is not None and not shim.control_counted
    ]


def _legacy_sessions(look: Look, _terms: Terms) -> Reading:
    evidence: dict[str, object] = {}
    if look.deadline is not None and look.deadline <= look.at:
        evidence["deadline_passed"] = iso(look.deadline)
        return Reading(0.0, evidence=evidence)
    found = look.sessions
    if found is None:
        return Reading(None, (Doubt(Grade.NO_DATA, "the session store was not asked"),))
    evidence |= {
        "holding": found.holding,
        "others": found.others,
        "anonymous": found.anonymous,
        "undecodable": found.undecodable,
        "unseen": found.unseen,
        "endless": found.endless,
    }
    times = ("counted_at", "written_at", "user_seen_at")
    evidence |= {name: iso(at) for name in times if (at := getattr(found, name)) is not None}
    unread = found.doubts and not found.seen
    doubts = (*found.doubts, *found.unproven)
    return Reading(None if unread else float(found.holding), doubts, evidence=evidence)


def _import_differences(look: Look, _terms: Terms) -> Reading:
    found = look.import_check
    if found is None or found.differences is None or found.at is None:
        doubts = found.doubts if found is not None else ()
        return Reading(None, doubts or (Doubt(Grade.NO_DATA, "the ledger was not read"),))
    return Reading(float(found.differences), found.doubts, evidence={"verified_at": iso(found.at)})


def _synced(value: Callable[[SyncLook], float | None]) -> Measure:
    def read(look: Look, _terms: Terms) -> Reading:
        found = look.sync_check or SyncLook()
        if found.at is None:
            return Reading(None, found.doubts or (Doubt(Grade.NO_DATA, "no state was read"),))
        evidence = {"synced_at": iso(found.at), "quarantined": found.quarantined}
        return Reading(value(found), found.doubts, evidence=evidence)

    return Measure(frozenset({"sync_check"}), read)


def _written_back(value: Callable[[WriteBackLook], float | None]) -> Measure:
    def read(look: Look, _terms: Terms) -> Reading:
        found = look.write_back_check or WriteBackLook()
        if found.at is None:
            return Reading(None, found.doubts or (Doubt(Grade.NO_DATA, "no state was read"),))
        return Reading(value(found), found.doubts, evidence={"passed_at": iso(found.at)})

    return Measure(frozenset({"write_back_check"}), read)


def _at_auther(count: Callable[[AutherLook], float]) -> Measure:
    def read(look: Look, terms: Terms) -> Reading:
        return auther_measures.counted(look, terms.base, count)

    return Measure(frozenset({"auther"}), read)


def _state(source: SourceName, read: Callable[[Look], Reading]) -> Measure:
    return Measure(frozenset({source}), lambda look, _terms: read(look))


def _fact(source: SourceName) -> Measure:
    def read(look: Look, _terms: Terms) -> Reading:
        found: FactLook | None = getattr(look, source)
        if found is None:
            return Reading(None, (Doubt(Grade.NO_DATA, "it was not asked"),))
        at = {"at": iso(found.at)} if found.at is not None else {}
        return Reading(found.value, found.doubts, evidence={**found.evidence, **at})

    return Measure(frozenset({source}), read)


def _is_legacy(labels: Labels) -> bool:
    return labels.path == "legacy" and labels.outcome == "accepted" and not labels.synthetic


def legacy_by_client(processes: Iterable[Process]) -> dict[str, int]:
    """Count accepted legacy requests by kind of client, since each process began.

    While some requests are of an unknown kind, a kind that has none is left out: nobody knows that it has none.
    """
    requests = [one for process in processes for one in process.requests.items()]
    counted: Counter[str] = Counter()
    if all(labels.client != UNKNOWN for labels, _ in requests):
        counted.update(dict.fromkeys(CLIENTS, 0))
    for labels, value in requests:
        if _is_legacy(labels):
            counted[labels.client] += int(value)
    return dict(counted)


MEASURES: dict[Measurement, Measure] = {
    "legacy_requests": _counted(_is_legacy),
    "total_requests": _counted(lambda labels: not labels.synthetic),
    "identity_conflicts": _counted(lambda labels: labels.reason in CONFLICTS),
    "verification_unavailable": _counted(lambda labels: labels.outcome == "unavailable"),
    "legacy_sessions": Measure(frozenset({"sessions"}), _legacy_sessions),
    "import_differences": Measure(frozenset({"import_check"}), _import_differences),
    "sync_lag_seconds": _synced(lambda found: found.seconds),
    "sync_lag_rows": _synced(lambda found: found.rows),
    "write_back_lag_seconds": _written_back(lambda found: found.seconds),
    "write_back_open_users": _written_back(lambda found: found.open_users),
    "auther_sign_ins": _at_auther(lambda found: sum(found.right.values())),
    "auther_sign_in_failures": _at_auther(lambda found: sum(found.wrong.values())),
    "auther_rehash_failures": _at_auther(lambda found: found.rehash_failed),
    "unrehashed_users": _state("passwords", auther_measures.unrehashed_users),
    "legacy_homes": _state("homes", homes_measures.legacy_homes),
    "users_seen_on_legacy": _state("homes", homes_measures.users_seen_on_legacy),
    "canaries_refused": _fact("canary_check"),
    "shadow_refused_share": _fact("shadow_check"),
    "sign_in_load": _fact("capacity_check"),
    "unacknowledged_users": _fact("pinned_users"),
    "rollbacks": _fact("rehearsal"),
    "refused_reads": _fact("refusals"),
}
