"""Phase 0: looks at both sides, changes neither, and says whether the migration can begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.core.errors import HeldError, RefusedError
from migrator.legacy.survey import STATEMENT_TIMEOUT_S
from migrator.runner.readiness.foreign_bearers import note_application
from migrator.runner.readiness.look import look
from migrator.runner.readiness.verdict import judge
from migrator.runner.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from migrator.runner.canaries import Canary
    from migrator.runner.context import Context
    from migrator.runner.readiness.findings import Findings
    from migrator.runner.readiness.verdict import Verdict

NAME = "preflight"
COMMAND = "migrator preflight"
ACTION = "survey"


@dataclass(frozen=True)
class Plan:
    """What preflight will read; it writes one ledger entry and nothing else."""

    legacy: str
    tables: tuple[str, ...]
    auther_file: str
    auther_url: str
    statement_timeout_s: int
    application: str = ""


@dataclass(frozen=True)
class Report:
    """What was found and what follows from it."""

    findings: Findings
    verdict: Verdict


def plan(ctx: Context, *, app: Path | None = None) -> Plan:
    """Say what would be read, without connecting to anything."""
    legacy, auther = ctx.config.legacy, ctx.config.auther
    sessions = legacy.sessions_table if legacy.session_store == "activerecord" else ""
    tables = (legacy.users_table, legacy.identities_table, sessions)
    return Plan(
        legacy=str(legacy.dsn),
        tables=tuple(table for table in tables if table),
        auther_file=str(auther.database),
        auther_url=auther.api if auther.base_url else "",
        statement_timeout_s=STATEMENT_TIMEOUT_S,
        application=str(app) if app else "",
    )


def run(ctx: Context, *, canaries: Sequence[Canary] = (), app: Path | None = None) -> Report:
    """Look at both sides, and at the application's code if asked, and judge.

    If it is interrupted, the ledger holds an intent without outcome; run it again.

    Args:
        ctx: The surroundings.
        canaries: Accounts with known passwords, to prove the peppers with.
        app: The application's folder.

    Raises:
        UsageError: A table, column or secret that the configuration names is not there, or the
            folder holds no application of a known framework.
        RefusedError: Our role may not read the users table.
        DependencyError: A database failed or took too long.
    """
    with ctx.state.ledger.recorded(NAME, ACTION, canaries=len(canaries)) as facts:
        findings = look(ctx, canaries, app=app)
        report = Report(findings, judge(findings, ctx.config))
        facts.update(_for_the_ledger(report))
    if findings.application is not None:
        note_application(ctx, findings.application)
    return report


def verify(ctx: Context) -> None:
    """Let pass when the last preflight said ready.

    Raises:
        HeldError: There was none, or it did not come to an end.
        RefusedError: It said not ready.
    """
    last = ctx.state.ledger.latest(NAME, ACTION, kind="outcome")
    if last is None or last.body.get("result") == "failed":
        raise HeldError("no preflight has come to a verdict yet", hint=COMMAND)
    if not last.body["ready"]:
        raise RefusedError(f"not ready: {', '.join(last.body['blockers'])}", hint=COMMAND)


def rollback(ctx: Context) -> str:  # noqa: ARG001 (all phases have the same shape)
    """Say that there is nothing to undo."""
    return "preflight only reads: there is nothing to undo"


def standing(ctx: Context) -> Standing:
    """Tell the last verdict from the ledger."""
    last = ctx.state.ledger.latest(NAME, ACTION, kind="outcome")
    if last is None:
        return Standing("not begun", next_command=COMMAND)
    at = f"{last.at[:16].replace('T', ' ')}Z"
    if last.body.get("result") == "failed":
        return Standing(f"failed at {at}", (str(last.body.get("error")),), COMMAND)
    if not last.body["ready"]:
        return Standing(f"not ready at {at}", tuple(last.body["blockers"]), COMMAND)
    return Standing(
        f"ready at {at}: {last.body['users']:,} users, {len(last.body['warnings'])} warnings"
    )


def _for_the_ledger(report: Report) -> dict[str, Any]:
    """Give counts and codes only: nothing here names a user."""
    findings, verdict = report.findings, report.verdict
    return {
        "ready": verdict.ready,
        "blockers": [reason.code for reason in verdict.blockers],
        "warnings": [reason.code for reason in verdict.warnings],
        "users": findings.legacy.states.users,
        "schemes": findings.census.schemes,
        "forecast": _counts(findings),
        "auther_schema": findings.auther.schema,
        "canaries_verified": sum(not canary.fault for canary in findings.canaries),
    }


def _counts(findings: Findings) -> dict[str, Any]:
    forecast = findings.forecast
    if forecast is None:
        return {}
    return {
        "imported": forecast.imported,
        "already_there": forecast.already_there,
        "rejected": forecast.rejected,
        "pinned": forecast.pinned,
    }
