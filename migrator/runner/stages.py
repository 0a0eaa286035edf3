"""The stage that holds, and the ones before it, as the state remembers them."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from migrator.core.errors import ConflictError
from migrator.core.stage import Stage, StageDocument, parse_document
from migrator.state.ledger import MERGE

if TYPE_CHECKING:
    from migrator.runner.context import Context

SUBJECT = "stage"
SET, ROLLBACK = "set", "rollback"
PUBLISHED, NOT_PUBLISHED = "published", "not published"
ALL_BROWSERS = 100.0
_DOCUMENT, _SALT = "document", "salt"


@dataclass(frozen=True)
class Position:
    """What a rollback restores; the rest of a document is bookkeeping.

    Attributes:
        percent: Share of browsers that sign in at Auther, 0 to 100; means something in `dual`.
        legacy_accept_until: ISO 8601 UTC, None without a deadline.
        cohorts: Who signs in at Auther whatever their bucket; means something in `dual`.
    """

    stage: Stage
    percent: float
    legacy_accept_until: str | None = None
    stop_accepting: bool = False
    cohorts: tuple[str, ...] = ()

    def __str__(self) -> str:
        stop = ", Auther's credentials refused" if self.stop_accepting else ""
        if self.stage is not Stage.DUAL:
            return f"{self.stage}{stop}"
        cohorts = f" and {', '.join(self.cohorts)}" if self.cohorts else ""
        return f"{self.stage} {self.percent:g} %{cohorts}{stop}"


# Before the first document everybody signs in on the legacy side: shims bake `dual` 0 %.
BEGINNING = Position(Stage.LEGACY, 0.0)


def share_at_auther(at: Position) -> float:
    """Give the share of logins, 0 to 1, that Auther takes in a position."""
    if at.stage is Stage.LEGACY:
        return 0.0
    return at.percent / ALL_BROWSERS if at.stage is Stage.DUAL else 1.0


def current(ctx: Context) -> StageDocument | None:
    """Give the last published stage document, None before the first."""
    payload = ctx.state.checkpoints.get(SUBJECT, _DOCUMENT)
    return None if payload is None else parse_document(json.dumps(payload))


def require_current(ctx: Context) -> StageDocument:
    """Give the last published stage document.

    Raises:
        ConflictError: There is none yet.
    """
    document = current(ctx)
    if document is None:
        raise ConflictError("no stage was published yet", hint="migrator dual-path stage show")
    return document


def remember(ctx: Context, document: StageDocument) -> None:
    """Keep a document as the one that was published last."""
    ctx.state.checkpoints.put(SUBJECT, _DOCUMENT, json.loads(document.to_json()))


def position(document: StageDocument | None) -> Position:
    """Give where a document stands."""
    if document is None:
        return BEGINNING
    return Position(
        document.stage,
        document.percent,
        document.legacy_accept_until,
        document.stop_accepting,
        document.cohorts,
    )


def before(ctx: Context) -> Position:
    """Give the position that `stage rollback` restores: each step forward is undone once."""
    return (way_back(ctx) or (BEGINNING,))[-1]


def way_back(ctx: Context) -> tuple[Position, ...]:
    """Give the positions that rollbacks restore one after the other, the next one last.

    Read from the ledger, so that nothing beside it has to be kept in step.
    """
    entries = ctx.state.ledger.entries(subject=SUBJECT)
    published = {e.intent for e in entries if e.body.get("result") == PUBLISHED}
    steps: list[Position] = []
    for entry in entries:
        if entry.action == MERGE:
            steps = steps[: max(0, len(steps) - int(entry.body["undone"]))]
        elif entry.kind != "intent" or entry.seq not in published:
            continue
        elif entry.action == SET:
            steps.append(read_position(entry.body["before"]))
        elif entry.action == ROLLBACK and steps:
            steps.pop()
    return tuple(steps)


def facts(at: Position) -> dict[str, Any]:
    """Give a position as the ledger keeps it."""
    return asdict(at)


def read_position(body: dict[str, Any]) -> Position:
    """Read what `facts` gave."""
    cohorts = tuple(body.get("cohorts", ()))
    return Position(**(body | {"stage": Stage(body["stage"]), "cohorts": cohorts}))


def salt(ctx: Context) -> str:
    """Give the salt of the browsers' buckets, hex; made once and never changed."""
    kept = ctx.state.checkpoints.get(SUBJECT, _SALT)
    if kept is None:
        kept = secrets.token_hex(16)
        ctx.state.checkpoints.choose(SUBJECT, {_SALT: kept})
    return str(kept)
