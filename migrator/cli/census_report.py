"""How `migrator drain census` says what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.clock import iso

if TYPE_CHECKING:
    from migrator.runner.gating.census import CensusReport, CensusStanding


def census_line(report: CensusReport) -> str:
    """Say a run in one line."""
    rate = f", {report.rows_per_s:,.0f} rows/s" if report.read and report.rows_per_s else ""
    said = f"{report.read:,} rows read{rate}"
    if report.fault:
        return f"HELD: {report.fault}; {said}, the next run goes on there"
    since = iso(report.since) if report.since else "never"
    note = f"; {report.note}" if report.note else ""
    return f"{said}; every row is known as it was at {since}{note}"


def standing_line(found: CensusStanding) -> str:
    """Say how far the census is in one line."""
    about = "" if found.estimate is None else f" of about {found.estimate:,}"
    return (
        f"{found.table}: {found.read:,}{about} rows were read; {found.unseen:,} would be read now"
    )
