"""Keeps the last picture of the drain, so that a page can show it without measuring anything."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from migrator.dashboards.drain_picture import DrainPicture

if TYPE_CHECKING:
    from migrator.runner.context import Context

SUBJECT, KEY = "drain", "picture"
_PICTURE = TypeAdapter(DrainPicture)


def keep(ctx: Context, picture: DrainPicture) -> None:
    """Keep a picture in the place of the one before, without what the state knows anyway."""
    slim = replace(picture, curve=(), gates=())
    ctx.state.checkpoints.put(SUBJECT, KEY, _PICTURE.dump_python(slim, mode="json"))


def recall(ctx: Context) -> DrainPicture | None:
    """Give the picture that was kept last; None before the first, or when another version kept it."""
    kept = ctx.state.checkpoints.get(SUBJECT, KEY)
    try:
        return None if kept is None else _PICTURE.validate_python(kept)
    except ValidationError:
        return None
