"""Reads what an application's code still has of its own authentication."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrator.runner.switching import fleet
from migrator.runner.switching.generating import written
from migrator.runner.switching.taking_out import take_out
from migrator.shims.targets import TARGETS
from migrator.sqlgen.code_removal import ApplicationCode, CodeRemoval

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.runner.context import Context
    from migrator.sqlgen.usual.interface import Usual


def code_to_remove(ctx: Context, usual: Usual, app: Path | None) -> CodeRemoval:
    """Say what of the code goes, read from an application where one is given.

    Args:
        ctx: The surroundings.
        usual: The library that goes.
        app: The application's folder.

    Raises:
        UsageError: There is no such folder.
    """
    found = fleet.look(ctx)
    return CodeRemoval(
        model=ctx.config.legacy.model,
        code=usual.code,
        application=_read(ctx, app) if app is not None else None,
        still_legacy=tuple(beat.instance for beat in found.living if beat.legacy_capable),
    )


def _read(ctx: Context, app: Path) -> ApplicationCode:
    # As in preflight: grammars of five languages.
    from migrator.application.readers import read_application, reader_of  # noqa: PLC0415

    legacy = ctx.config.legacy
    manifest = written(app)
    # Of an unknown framework at least the shim is known; without one the reader says what it misses.
    reads = reader_of(app) is not None or manifest is None
    shim = None
    if manifest is not None and manifest.target in TARGETS:
        shim = take_out(app, TARGETS[manifest.target].names)
    return ApplicationCode(
        findings=read_application(app, users_table=legacy.users_table) if reads else None,
        model=_model_file(app, legacy.model),
        shim_diff=shim.diff if shim else "",
        shim_uses=tuple(f"{use.path}:{use.line}: {use.text}" for use in shim.uses) if shim else (),
    )


def _model_file(app: Path, model: str) -> tuple[str, str] | None:
    """Find a Rails model where Rails looks for it."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", model).replace("::", "/").lower()
    path = f"app/models/{words}.rb"
    try:
        return path, (app / path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
