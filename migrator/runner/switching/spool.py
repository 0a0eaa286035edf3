"""What a rollback writes down while the ledger is away, chained to the head that the stage document carries."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from migrator.core.clock import iso
from migrator.core.errors import ConflictError
from migrator.runner.private_file import put_in_place
from migrator.runner.stages import PUBLISHED, SUBJECT
from migrator.state.ledger import MERGE, Branch, Entry, read_branch

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.core.stage import StageDocument
    from migrator.runner.context import Context

_NAME = "stage-spool.jsonl"
_HINT = "check the disk and the rights of its folder, then try again"


def append(
    ctx: Context, document: StageDocument, action: str, kind: str, intent: int | None, **body: Any
) -> Entry:
    """Add an entry behind the last one of the spool, or behind the head of the published document.

    Raises:
        DependencyError: The file cannot be written; nothing may be done then.
    """
    entries = read(ctx)
    head = (entries[-1].seq, entries[-1].hash) if entries else None
    seq, prev_hash = head or (document.ledger_length, document.ledger_head)
    facts = json.loads(json.dumps(body))
    draft = Entry(
        seq + 1, iso(ctx.clock.now()), SUBJECT, action, kind, intent, facts, prev_hash, ""
    )
    entry = replace(draft, hash=draft.computed_hash())
    with put_in_place(_path(ctx), what="the spool", hint=_HINT) as file:
        file.writelines(json.dumps(asdict(one)) + "\n" for one in (*entries, entry))
    return entry


def read(ctx: Context) -> tuple[Entry, ...]:
    """Give what is spooled and not in the ledger yet.

    Raises:
        ConflictError: The file holds something else.
    """
    try:
        lines = _path(ctx).read_text(encoding="utf-8").splitlines()
        return tuple(Entry(**json.loads(line)) for line in lines)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError) as error:
        raise ConflictError(
            f"{_path(ctx)} cannot be read as what a rollback writes there",
            hint="keep the file and find out who changed it; no stage moves before that",
        ) from error


def merge(ctx: Context, document: StageDocument | None) -> bool:
    """Take the spool into the ledger.

    Interrupted, the same call finishes: what is in the ledger already is not taken in twice.

    Args:
        ctx: The surroundings.
        document: The published one; it shows whether an intent without outcome took effect.

    Returns:
        Whether there was one.

    Raises:
        ConflictError: It was changed, or does not grow from this ledger.
    """
    entries = read(ctx)
    if not entries:
        return False
    last = ctx.state.ledger.latest(SUBJECT, MERGE)
    if last is None or read_branch(last.body).entries != entries:
        undone = sum(entry.body.get("result") == PUBLISHED for entry in entries)
        is_out = document is not None and document.ledger_head == entries[-1].hash
        undone += entries[-1].kind == "intent" and is_out
        ctx.state.ledger.merge(SUBJECT, Branch(entries), undone=undone)
    _path(ctx).unlink(missing_ok=True)
    return True


def _path(ctx: Context) -> Path:
    return ctx.path(ctx.config.stage.document).with_name(_NAME)
