"""How preflight's findings look: sections of short tables, the verdict at the end."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rich.table import Table

from migrator.cli.application_report import show_application
from migrator.cli.sections import grid, heading, lines, many, row
from migrator.core.durations import format_duration
from migrator.core.redact import mask_email

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.console import Console

    from migrator.legacy.findings import Example, SessionStore
    from migrator.runner.readiness.findings import AutherFindings, Findings
    from migrator.runner.readiness.reason import Reason
    from phases.p0_preflight import Plan, Report

_MEGABYTE = 1_000_000
_STATES = {
    "active": "active (confirmed, not locked, not deleted)",
    "active_with_password": "of these with a password and no second factor",
    "unconfirmed": "unconfirmed",
    "pending_email_change": "with a pending change of address",
    "locked_now": "locked now",
    "lock_expired": "locked once, the lock is over",
    "soft_deleted": "soft-deleted",
    "second_factor": "with a second factor",
    "without_password": "without a password",
    "remembered": "with a remember-me token",
}


def as_data(report: Report, *, show_emails: bool) -> dict[str, Any]:
    """Give the report for programs, addresses masked unless asked for."""
    findings, verdict = report.findings, report.verdict
    data = {
        "ready": verdict.ready,
        "blockers": [asdict(reason) for reason in verdict.blockers],
        "warnings": [asdict(reason) for reason in verdict.warnings],
        **asdict(findings),
        "foreign_users": findings.foreign_users,
        "read_rate_per_s": findings.read_rate,
        "import_estimate_s": findings.import_estimate_s,
    }
    return data if show_emails else _masked(data)


def _masked(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: mask_email(value) if key == "email" else _masked(value)
            for key, value in node.items()
        }
    if isinstance(node, (list, tuple)):
        return [_masked(value) for value in node]
    return node


def show_plan(out: Console, plan: Plan) -> None:
    """Show what would be read."""
    out.print(f"would read {', '.join(plan.tables)} at {plan.legacy}", markup=False)
    out.print(f"would look at {plan.auther_file} and {plan.auther_url or 'no running Auther'}")
    out.print(f"each statement ends after {plan.statement_timeout_s} s; nothing is written")


def show_report(out: Console, report: Report, *, show_emails: bool) -> None:
    """Show findings, warnings, blockers and the verdict, in this order."""
    findings = report.findings
    _legacy(out, findings)
    _counts(out, "Account states", _states(findings))
    _passwords(out, findings.census.schemes)
    _examples(out, findings, show_emails=show_emails)
    _references(out, findings)
    _sessions(out, findings)
    _canaries(out, findings, show_emails=show_emails)
    if findings.application:
        show_application(out, findings.application)
    _auther(out, findings)
    _forecast(out, findings)
    _reasons(out, "Warnings", report.verdict.warnings)
    _reasons(out, "Blockers", report.verdict.blockers)
    blockers, warnings = len(report.verdict.blockers), len(report.verdict.warnings)
    said = f"{many(blockers, 'blocker')}, {many(warnings, 'warning')}"
    out.print()
    out.print(f"{'READY' if report.verdict.ready else 'NOT READY'}: {said}", style="bold")
    if report.verdict.ready:
        out.print("next: migrator import plan")


def _legacy(out: Console, findings: Findings) -> None:
    legacy, relation = findings.legacy, findings.legacy.relation
    server = legacy.server
    low, high = legacy.key_range
    heading(out, f"Legacy: {legacy.table} in {server.database}")
    lines(
        out,
        {
            "server": f"PostgreSQL {server.version}, {server.encoding}",
            "role": f"{server.role}; the table belongs to {relation.owner}",
            "users": f"{legacy.states.users:,} ({relation.total_bytes / _MEGABYTE:,.1f} MB)",
            "key": f"{legacy.key_type}, {low or '-'} to {high or '-'}",
            "columns of": legacy.library,
            "modules": ", ".join(legacy.modules),
        },
    )


def _states(findings: Findings) -> dict[str, int]:
    states = findings.legacy.states
    counts = {said: getattr(states, name) for name, said in _STATES.items()}
    identities = findings.legacy.identities
    return {
        **counts,
        "without a password, with a provider": identities.passwordless_linked,
        **{f"sign-ins at {name}": count for name, count in identities.by_provider.items()},
    }


def _passwords(out: Console, schemes: Mapping[str, int]) -> None:
    """Show one line for each scheme, its costs beside it."""
    costs: dict[str, list[tuple[int, int]]] = {}
    for label, count in schemes.items():
        scheme, _, cost = label.partition(" cost ")
        costs.setdefault(scheme, []).append((int(cost or 0), count))
    heading(out, "Password values")
    table = grid()
    for scheme, found in costs.items():
        said = ", ".join(f"cost {cost}: {count:,}" for cost, count in sorted(found) if cost)
        row(table, scheme, f"{sum(count for _, count in found):,}", said)
    out.print(table)


def _examples(out: Console, findings: Findings, *, show_emails: bool) -> None:
    if not findings.census.emails:
        return
    heading(out, "Addresses and user names")
    table = grid()
    for name, problem in findings.census.emails.items():
        said = ", ".join(_example(example, show_emails) for example in problem.examples)
        row(table, name, f"{problem.count:,}", said)
    out.print(table)


def _example(example: Example, show_emails: bool) -> str:
    email = repr(example.email) if show_emails else mask_email(example.email)
    return f"{example.pk} {email}"


def _references(out: Console, findings: Findings) -> None:
    legacy = findings.legacy
    if not (legacy.foreign_keys or legacy.loose_references):
        return
    heading(out, "What refers to users")
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("column", overflow="fold")
    table.add_column("on delete", no_wrap=True)
    table.add_column("about rows", justify="right", no_wrap=True)
    table.add_column("index", no_wrap=True)
    for key in legacy.foreign_keys:
        place = f"{key.schema}.{key.table}.{'+'.join(key.columns)}"
        indexed = "yes" if key.indexed else "NO"
        row(table, place, key.on_delete, f"{key.rows_estimate:,}", indexed)
    for loose in legacy.loose_references:
        kind = "polymorphic" if loose.polymorphic else "no foreign key"
        row(table, f"{loose.schema}.{loose.table}.{loose.column}", kind, "", "")
    out.print(table)


def _sessions(out: Console, findings: Findings) -> None:
    states = findings.legacy.states
    heading(out, "Sessions")
    said = {"store": _store(findings.legacy.sessions)}
    if states.last_remembered:
        said["remember-me"] = (
            f"{states.remembered:,} users, the newest of {states.last_remembered:%Y-%m-%d %H:%M}Z;"
            f" {_horizon(findings)}"
        )
    lines(out, said)


def _horizon(findings: Findings) -> str:
    until = findings.remembered_until
    return f"good until {until:%Y-%m-%d %H:%M}Z" if until else "never ends"


def _store(sessions: SessionStore) -> str:
    if sessions.store == "cookie":
        return "cookies: cannot be counted on the server"
    if sessions.store == "none":
        return "none"
    if sessions.fault:
        return f"{sessions.table}: {sessions.fault}"
    newest = f", the newest of {sessions.newest:%Y-%m-%d %H:%M}Z" if sessions.newest else ""
    return f"{sessions.table}: {sessions.rows:,} rows, anonymous ones included{newest}"


def _canaries(out: Console, findings: Findings, *, show_emails: bool) -> None:
    if not findings.canaries:
        return
    heading(out, "Canaries")
    table = grid(right=False)
    for canary in findings.canaries:
        email = canary.email if show_emails else mask_email(canary.email)
        row(table, email, f"pepper {canary.pepper}" if canary.pepper else canary.fault)
    out.print(table)


def _auther(out: Console, findings: Findings) -> None:
    auther = findings.auther
    heading(out, f"Auther: {auther.name}")
    lines(out, _auther_lines(auther, foreign=findings.foreign_users))


def _auther_lines(auther: AutherFindings, *, foreign: int) -> dict[str, str]:
    lines = {
        "tables": "none yet: the import makes them"
        if auther.schema == "absent"
        else auther.schema or ("refused" if auther.refusal else "not looked at"),
    }
    if auther.file:
        lines["free disk"] = f"{auther.file.free_bytes // _MEGABYTE:,} MB"
    if auther.file and auther.file.exists and not auther.file.fault:
        lines["journal"] = auther.file.journal_mode
    if contents := auther.contents:
        lines["users"] = f"{contents.users:,}, of them {foreign:,} not from this migration"
        if contents.accounts is not None:
            lines["accounts"] = f"{contents.accounts:,}, {contents.imported:,} with a legacy hash"
            lines["index"] = "on account.user_id" if contents.account_index else "none on user_id"
    if auther.probe:
        lines["server"] = auther.probe.fault or (
            f"issuer {auther.probe.issuer}, keys {', '.join(auther.probe.algorithms)}"
        )
    return lines


def _forecast(out: Console, findings: Findings) -> None:
    forecast = findings.forecast
    if forecast is None:
        return
    counts = {
        "imported": forecast.imported,
        "there already": forecast.already_there,
        **{f"pinned: {reason}": count for reason, count in forecast.pinned.items()},
        **{f"note: {note}": count for note, count in forecast.notes.items()},
        **{f"rejected: {reason}": count for reason, count in forecast.rejected.items()},
    }
    _counts(out, "What the import would do", counts)
    rate = findings.read_rate
    measured = f"{rate:,.0f} users/s read here" if rate else "reading not measured"
    about = format_duration(timedelta(seconds=max(1.0, findings.import_estimate_s)))
    out.print(f"about {about} ({measured}; writing assumed, not measured)")


def _reasons(out: Console, title: str, reasons: Iterable[Reason]) -> None:
    reasons = tuple(reasons)
    if not reasons:
        return
    heading(out, title)
    table = grid(right=False)
    for reason in reasons:
        row(table, "-", f"{reason.text} [{reason.code}]")
        row(table, "", f"→ {reason.todo}")
    out.print(table)


def _counts(out: Console, title: str, counts: Mapping[str, int]) -> None:
    heading(out, title)
    table = grid()
    for name, count in counts.items():
        if count:
            row(table, name, f"{count:,}")
    out.print(table)
