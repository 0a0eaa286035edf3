"""Puts the receipt of a removal together from ledger, plan and configuration, and keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.core.clock import iso, parse_iso
from migrator.dashboards.receipt_page import (
    ArchiveKept,
    Consent,
    HeldUntil,
    Receipt,
    StepDone,
    TableKept,
    render,
    to_json,
)
from migrator.runner.private_file import put_in_place
from migrator.runner.removing.archives import folder_of
from migrator.runner.removing.plans import SUBJECT
from migrator.sqlgen.removal import POSTGRESQL
from migrator.sqlgen.steps import PURGE_COLUMNS, PURGE_TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta
    from pathlib import Path

    from migrator.legacy.guard import Archived
    from migrator.runner.context import Context
    from migrator.sqlgen.archive_plan import TablePlan
    from migrator.sqlgen.planfile import PlanFile
    from migrator.state.ledger import Entry

ARCHIVES = "archives"
_APPLY = "apply "


def note_archives(ctx: Context, archives: Sequence[Archived]) -> None:
    """Keep what the database knows of the archives for a receipt after its guard schema is gone."""
    kept = [
        {
            "name": table.name,
            "rows": table.rows,
            "sha256": table.sha256,
            "manifest_sha256": table.manifest_sha256,
            "erased": table.erased,
            "proven_at": iso(table.drilled_at) if table.drilled_at else "",
        }
        for table in archives
    ]
    ctx.state.checkpoints.put(SUBJECT, ARCHIVES, kept)


def make_receipt(ctx: Context, plan: PlanFile) -> Receipt:
    """Say what the removal did so far."""
    steps = _steps(ctx, plan)
    dropped = {step.step for step in steps}
    archives = _archives(ctx, plan)
    return Receipt(
        migration=ctx.config.migration.name,
        at=iso(ctx.clock.now()),
        plan_id=plan.plan_id,
        plan_hash=plan.plan_hash,
        database=plan.database,
        whole=dropped == set(plan.steps),
        tables=plan.tables if PURGE_TABLES in dropped else (),
        users=plan.users,
        columns=plan.columns if PURGE_COLUMNS in dropped else (),
        steps=steps,
        consents=_consents(ctx, plan),
        archives=archives,
        held=_held(ctx, steps, dialect=plan.dialect),
        exceptions=plan.exceptions,
        commands=_commands(archives if plan.dialect == POSTGRESQL else ()),
        ledger_head=ctx.state.ledger.head(),
    )


def keep_receipt(ctx: Context, plan: PlanFile) -> tuple[Path, Path]:
    """Write the receipt as JSON and HTML beside the archives.

    Returns:
        Both files.

    Raises:
        DependencyError: The disk refuses.
    """
    receipt = make_receipt(ctx, plan)
    folder = ctx.path(ctx.config.remove.archive.dir) / plan.plan_id
    written = []
    for name, text in (("receipt.json", to_json(receipt)), ("receipt.html", render(receipt))):
        hint = "make room, then: migrator remove receipt"
        with put_in_place(folder / name, what="the receipt", hint=hint) as file:
            file.write(text)
        written.append(folder / name)
    return written[0], written[1]


def _steps(ctx: Context, plan: PlanFile) -> tuple[StepDone, ...]:
    """Give each applied step with its newest outcome; a step that was reverted since is left out."""
    last: dict[str, Entry] = {}
    for entry in ctx.state.ledger.entries(subject=SUBJECT):
        if entry.kind == "outcome" and entry.body.get("result") == "done":
            action, _, step = entry.action.partition(" ")
            if action == _APPLY.strip():
                last[step] = entry
            elif action == "revert":
                last.pop(step, None)
    verdicts = {entry.seq: entry for entry in ctx.state.ledger.entries(subject="gate")}
    return tuple(
        StepDone(step, last[step].at, _gates(last[step], verdicts), last[step].seq)
        for step in plan.steps
        if step in last
    )


def _gates(entry: Entry, verdicts: dict[int, Entry]) -> tuple[str, ...]:
    found = [verdicts[seq] for seq in entry.body.get("gates", []) if seq in verdicts]
    return tuple(f"{gate.action} {gate.body['state']} (entry {gate.seq})" for gate in found)


def _consents(ctx: Context, plan: PlanFile) -> tuple[Consent, ...]:
    entries = ctx.state.ledger.entries(subject="approval")
    failed = {e.intent for e in entries if e.kind == "outcome" and e.body["result"] == "failed"}
    return tuple(
        Consent(
            entry.body["purpose"],
            entry.body["way"],
            tuple(entry.body["approvers"]),
            entry.body["by"],
            entry.at,
        )
        for entry in entries
        if entry.action == "used"
        and entry.kind == "intent"
        and entry.seq not in failed
        and entry.body["bound_to"].get("plan") == plan.plan_hash
    )


def _archives(ctx: Context, plan: PlanFile) -> tuple[ArchiveKept, ...]:
    kept = {table["name"]: table for table in ctx.state.checkpoints.get(SUBJECT, ARCHIVES) or []}
    found = []
    for step in plan.archive_steps:
        tables = [table for table in plan.archive(step).tables if table.name in kept]
        if tables:
            archive = ctx.config.remove.archive
            found.append(
                ArchiveKept(
                    step,
                    str(folder_of(ctx, plan.plan_id, step)),
                    kept[tables[0].name]["manifest_sha256"],
                    archive.recipients if archive.encrypt else (),
                    tuple(_table(table, kept[table.name]) for table in tables),
                )
            )
    return tuple(found)


def _table(plan: TablePlan, kept: dict[str, Any]) -> TableKept:
    secrets = (f"{plan.label}.{e.column}: {e.why}; it is {e.instead}" for e in plan.excluded)
    return TableKept(
        plan.label,
        kept["rows"],
        kept["sha256"],
        kept["proven_at"],
        kept["erased"],
        (*secrets, *plan.rebuild.left_out),
    )


def _held(ctx: Context, steps: tuple[StepDone, ...], *, dialect: str) -> tuple[HeldUntil, ...]:
    remove = ctx.config.remove
    purged = max(
        (step.at for step in steps if step.step in {PURGE_TABLES, PURGE_COLUMNS}), default=""
    )
    logs = "WAL archives" if dialect == POSTGRESQL else "binary logs"
    archive = HeldUntil("the archive", "until its files are deleted", _what_it_holds(ctx))
    return (
        _held_for("backups", remove.backups_kept_for, purged, "backups_kept_for"),
        _held_for(f"{logs} and replicas", remove.wal_kept_for, purged, "wal_kept_for"),
        archive,
    )


def _what_it_holds(ctx: Context) -> str:
    return "secrets included" if ctx.config.remove.archive.include_secrets else "without secrets"


def _held_for(where: str, kept_for: timedelta | None, purged: str, key: str) -> HeldUntil:
    if not purged:
        return HeldUntil(where, "unknown", "nothing is purged yet")
    if kept_for is None:
        return HeldUntil(where, "unknown", f"[remove] {key} is not set")
    until = iso(parse_iso(purged) + kept_for)
    return HeldUntil(where, until, f"purged at {purged}, kept for {kept_for.days} days")


def _commands(archives: tuple[ArchiveKept, ...]) -> tuple[str, ...]:
    return (
        "migrator remove revert --identity file:archive.key",
        *(
            f"migrator remove restore --from {archive.folder} --into env:NEW_DATABASE_URL "
            f"--identity file:archive.key --sha256 {archive.manifest_sha256}"
            for archive in archives
            if archive.manifest_sha256
        ),
    )
