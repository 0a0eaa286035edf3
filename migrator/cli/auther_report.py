"""How the doctor's findings look: one table, what stands in the way at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from migrator.auther.live.doctor.interface import State

if TYPE_CHECKING:
    from rich.console import Console

    from migrator.auther.live.doctor.interface import Finding
    from migrator.runner.standing_up.capacity import Measurement
    from migrator.runner.standing_up.clients import Ensured
    from migrator.runner.standing_up.doctoring import Diagnosis

_LOOKS = {State.FOUND: "green", State.MISSING: "red", State.UNKNOWN: "yellow"}


def diagnosis_data(made: Diagnosis) -> dict[str, Any]:
    """Give a diagnosis for programs."""
    return {
        "base_url": made.base_url,
        "at": made.at,
        "ready": not made.missing and not made.unknown,
        "missing": made.missing,
        "unknown": made.unknown,
        "findings": made.findings,
    }


def show_diagnosis(out: Console, made: Diagnosis) -> None:
    """Show all findings, then the verdict."""
    from migrator.auther.live.doctor.registry import what

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("question", overflow="fold", max_width=24)
    table.add_column("state", no_wrap=True)
    table.add_column("what was found, and what it means", overflow="fold")
    table.add_column("provided by", overflow="fold", max_width=15)
    for code, found in made.findings.items():
        table.add_row(
            Text(what(code)), _state(found), Text(f"{found.found}"), Text(str(found.provider))
        )
        table.add_row("", "", Text(f"→ {found.means}", style="dim"), "")
    out.print(table)
    out.print()
    _verdict(out, made)


def client_data(made: Ensured) -> dict[str, Any]:
    """Give what became of a client for programs."""
    return {
        "client_id": made.repair.client.client_id,
        "existed": made.repair.exists,
        "differences": [one._asdict() for one in made.repair.differences],
        "login": made.login,
        "trusted_entry": made.trusted_entry,
    }


def show_client(out: Console, made: Ensured, *, dry_run: bool) -> None:
    """Show the difference, then how the login looks, then what a person has to do."""
    from migrator.auther.live.doctor.registry import what

    client, needed = made.repair.client, made.repair.differences
    did = "would be" if dry_run else "is"
    what_happened = "repaired" if made.repair.exists else "created"
    _line(out, f"client {client.client_id}: {f'{did} {what_happened}' if needed else 'is right'}")
    for one in needed:
        _line(out, f"  - {one.column}: {one.before or '(none)'}")
        _line(out, f"  + {one.column}: {one.after}")
    for code, found in made.login.items():
        _line(out, f"{what(code)}: {found.state}: {found.found}")
        if found.state is not State.FOUND:
            _line(out, f"  → {found.means}")
    if made.login.get("consent") is None or made.login["consent"].state is not State.FOUND:
        _line(out, "In Auther's own configuration, in trustedClients of oidcProvider:")
        _line(out, f"  {made.trusted_entry}")


def measurement_data(made: Measurement) -> dict[str, Any]:
    """Give a measurement for programs."""
    steps = [{**one._asdict(), "per_second": one.per_second} for one in made.steps]
    return {"measured": made.measured, "steps": steps}


def show_measurement(out: Console, made: Measurement) -> None:
    """Show the ramp, then the figure."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("at once", "sign-ins", "per second", "median", "95 %"):
        table.add_column(column, justify="right")
    for one in made.steps:
        times = (f"{one.median_s * 1000:,.0f} ms", f"{one.p95_s * 1000:,.0f} ms")
        table.add_row(str(one.concurrency), f"{one.sign_ins:,}", f"{one.per_second:,.1f}", *times)
    out.print(table)
    if stopped := made.steps[-1].stopped:
        _line(out, f"stopped: {stopped}")
    found = made.measured
    _line(out, f"{found.sign_ins_per_s:.1f} sign-ins/s at {found.concurrency} at once")
    _line(out, f"steps of the cutover may use {found.usable_per_s:.1f}")


def _line(out: Console, text: str) -> None:
    out.print(Text(text), soft_wrap=True)


def _state(found: Finding) -> Text:
    mark = " !" if found.blocks else ""
    return Text(f"{found.state}{mark}", style=_LOOKS[found.state])


def _verdict(out: Console, made: Diagnosis) -> None:
    if made.missing:
        said = f"NOT READY: {', '.join(made.missing)}"
    elif made.unknown:
        said = f"NOT KNOWN: {', '.join(made.unknown)}"
    else:
        said = "READY: nothing at Auther stands in the way of the cutover"
    out.print(said, style="bold", markup=False, soft_wrap=True)
