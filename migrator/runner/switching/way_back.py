"""The way back beside the stage document, for the day on which the state does not answer.

The state's ledger knows it too and is what counts; this file repeats it for `stage rollback` alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.runner import stages
from migrator.runner.private_file import put_in_place
from migrator.sqlgen.steps import CLOSING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from migrator.runner.context import Context
    from migrator.runner.stages import Position

_NAME = "stage-way-back.json"
_HINT = "check [stage] document in migrator.toml, the disk and its rights, then try again"
# A document that did not get out leaves the one before it, and its way back, in force.
_KEPT = 2


@dataclass(frozen=True)
class WayBack:
    """What a rollback from one document restores.

    Attributes:
        steps: Positions one after the other, the next one last.
        removed: The step of the removal that closed the way back; '' while it is open.
    """

    steps: tuple[Position, ...]
    removed: str = ""


def note(ctx: Context, epoch: int, steps: tuple[Position, ...]) -> None:
    """Write down the way back from a document that is about to be published.

    Raises:
        DependencyError: The folder cannot be written to.
    """
    found = _read(ctx)
    ways = {**found.get("ways", {}), str(epoch): [stages.facts(step) for step in steps]}
    newest = sorted(ways, key=int)[-_KEPT:]
    _write(ctx, {**found, "ways": {key: ways[key] for key in newest}})


def note_removal(ctx: Context, removed: str) -> None:
    """Write down that the removal closed the way back, or, with '', opened it again.

    Raises:
        DependencyError: The folder cannot be written to.
    """
    _write(ctx, {**_read(ctx), "removed": removed})


def closed_by(applied: Sequence[str]) -> str:
    """Give the last step of a removal after which nobody could sign in on the legacy side, or ''."""
    closed = [step for step in applied if step in CLOSING]
    return closed[-1] if closed else ""


def find(ctx: Context, epoch: int) -> WayBack | None:
    """Give the way back from a published document, None when it is not known."""
    found = _read(ctx)
    steps = found.get("ways", {}).get(str(epoch))
    if steps is None:
        return None
    return WayBack(tuple(map(stages.read_position, steps)), str(found.get("removed", "")))


def _read(ctx: Context) -> dict[str, Any]:
    try:
        found = json.loads(_path(ctx).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(ctx: Context, content: dict[str, Any]) -> None:
    with put_in_place(_path(ctx), what="the way back", hint=_HINT) as file:
        file.write(json.dumps(content, indent=1) + "\n")


def _path(ctx: Context) -> Path:
    return ctx.path(ctx.config.stage.document).with_name(_NAME)
