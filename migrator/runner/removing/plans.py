"""Puts a removal's plan on disk and reads it back, unchanged."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from migrator.core.errors import ConflictError, DependencyError, HeldError, UsageError
from migrator.sqlgen.planfile import PLAN_FILE, PlanFile, parse_plan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from migrator.runner.context import Context

SUBJECT = "remove"
_PLAN = "plan"


def keep_plan(ctx: Context, files: Mapping[str, str], folder: Path) -> PlanFile:
    """Write a plan's files and remember its hash.

    The files are written beside the folder and moved into place, so an interruption leaves the old
    plan or the new one.

    Raises:
        UsageError: The folder holds something that is not a plan.
        DependencyError: The disk refuses.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / PLAN_FILE).is_file():
        raise UsageError(f"{folder} holds other files", hint="name another folder with --out")
    plan = parse_plan(files)
    try:
        _write(files, folder)
    except OSError as error:
        raise DependencyError(
            f"{folder} cannot be written: {error.strerror}", hint="make room, then the same again"
        ) from error
    kept = {"folder": str(folder), "plan_hash": plan.plan_hash}
    ctx.state.checkpoints.put(SUBJECT, _PLAN, kept)
    return plan


def kept_plan(ctx: Context) -> PlanFile:
    """Read the plan that `keep_plan` wrote last.

    Raises:
        HeldError: There is none.
        ConflictError: It was changed.
    """
    kept = ctx.state.checkpoints.get(SUBJECT, _PLAN)
    if kept is None:
        raise HeldError("there is no plan yet", hint="migrator remove plan")
    folder = plan_folder(ctx)
    plan = parse_plan(_read(folder))
    if plan.plan_hash != kept["plan_hash"]:
        raise ConflictError(
            f"the plan in {kept['folder']} is not the one that `remove plan` made here",
            hint="put that one back, or, with nothing applied: migrator remove plan",
        )
    return plan


def plan_folder(ctx: Context) -> Path:
    """Give the folder of the plan that was made last; there has to be one."""
    kept: dict[str, str] = ctx.state.checkpoints.get(SUBJECT, _PLAN)
    return ctx.root / kept["folder"]


def has_plan(ctx: Context) -> bool:
    """Tell whether a plan was made."""
    return ctx.state.checkpoints.get(SUBJECT, _PLAN) is not None


def _write(files: Mapping[str, str], folder: Path) -> None:
    aside, old = folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
    for leftover in (aside, old):
        shutil.rmtree(leftover, ignore_errors=True)
    for path, text in files.items():
        (aside / path).parent.mkdir(parents=True, exist_ok=True)
        (aside / path).write_text(text, encoding="utf-8", newline="\n")
        if text.startswith("#!"):
            (aside / path).chmod(0o755)
    if folder.exists():
        folder.rename(old)
    aside.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _read(folder: Path) -> dict[str, str]:
    try:
        return {
            path.relative_to(folder).as_posix(): path.read_bytes().decode()
            for path in folder.rglob("*")
            if path.is_file()
        }
    except (OSError, UnicodeDecodeError) as error:
        raise ConflictError(
            f"the plan in {folder} cannot be read ({type(error).__name__})",
            hint="put it back, or, with nothing applied: migrator remove plan",
        ) from error
