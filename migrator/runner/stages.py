"""The stage that holds, as the state remembers it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from migrator.core.stage import StageDocument, parse_document

if TYPE_CHECKING:
    from migrator.runner.context import Context

SUBJECT = "stage"
DOCUMENT = "document"


def current(ctx: Context) -> StageDocument | None:
    """Give the last published stage document, None before the first."""
    payload = ctx.state.checkpoints.get(SUBJECT, DOCUMENT)
    return None if payload is None else parse_document(json.dumps(payload))


def remember(ctx: Context, document: StageDocument) -> None:
    """Keep a document as the one that was published last."""
    ctx.state.checkpoints.put(SUBJECT, DOCUMENT, json.loads(document.to_json()))
