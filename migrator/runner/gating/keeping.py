"""Keeps what a watch saw last, so that a page can show it without measuring anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from migrator.core.errors import MigratorError
from migrator.dashboards.drain_picture import DrainPicture
from migrator.dashboards.overview import LeftList, LeftRow, PersonRow
from migrator.runner.gating.looking import look
from migrator.runner.gating.populations import homes_row
from migrator.runner.gating.who import KINDS, Asked, masked, who

if TYPE_CHECKING:
    from migrator.runner.context import Context

SUBJECT, KEY, LEFT = "drain", "picture", "left"
LISTED_EVERY = timedelta(minutes=10)
LISTED_OF_EACH = 5
_PICTURE, _LEFT = TypeAdapter(DrainPicture), TypeAdapter(LeftList)


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


def keep_left(ctx: Context) -> None:
    """List who is left, masked, and count the users; not at each look, for it reads rows and not counters."""
    before, now = recall_left(ctx), ctx.clock.now()
    if before is not None and now - before.at < LISTED_EVERY:
        return
    try:
        pages = who(ctx, tuple(KINDS), Asked("", LISTED_OF_EACH))
        shown = masked(pages, ctx.migration_key(), ctx.config.legacy.model)
    except MigratorError as error:
        found = LeftList(now, doubt=error.message)
    else:
        kinds = tuple(
            LeftRow(
                page.kind,
                page.todo,
                tuple(PersonRow(one.user, one.email, one.why) for one in page.left),
                more=page.after is not None,
            )
            for page in shown
        )
        found = LeftList(now, kinds, of_each=LISTED_OF_EACH)
    homes = look(ctx, {"homes"}).homes
    counted = replace(found, homes=homes_row(homes) if homes else None)
    ctx.state.checkpoints.put(SUBJECT, LEFT, _LEFT.dump_python(counted, mode="json"))


def recall_left(ctx: Context) -> LeftList | None:
    """Give the list that was kept last; None before the first, or when another version kept it."""
    kept = ctx.state.checkpoints.get(SUBJECT, LEFT)
    try:
        return None if kept is None else _LEFT.validate_python(kept)
    except ValidationError:
        return None
