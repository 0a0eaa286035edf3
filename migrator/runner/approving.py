"""Lets something happen only once two people approved exactly that, and writes down who did.

Without approvers in the configuration a second confirmation takes their place, and is called that.
"""

from __future__ import annotations

import getpass
import os
import re
import secrets
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.core.approval import (
    CLOCK_MARGIN,
    GOOD_FOR,
    Judgement,
    Matter,
    Request,
    Signature,
    hash_of,
    judge,
    read_signature,
)
from migrator.core.clock import iso, parse_iso
from migrator.core.errors import HeldError, MigratorError, RefusedError
from migrator.runner.private_file import put_in_place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrator.runner.context import Context
    from migrator.state.ledger import Entry

SUBJECT = "approval"
REQUESTED, USED, LOCK = "requested", "used", "approval"
APPROVAL, CONFIRMATION = "approval", "second confirmation"
FAILED = "failed"
_FOLDER = ".migrator/approvals"
_ENDING = ".sig"
_SHOWN_HASH = 8


@dataclass(frozen=True)
class Approval:
    """What let something happen.

    Attributes:
        kind: `approval` or `second confirmation`.
        approvers: Names; empty for a confirmation.
        entry: The ledger's entry of its use.
    """

    kind: str
    approvers: tuple[str, ...]
    entry: int


@dataclass(frozen=True)
class Open:
    """A request that can still be used.

    Attributes:
        path: Its file.
        purpose: What it is about, with the hashes that it is bound to.
        text: The file's content, None when it is not there.
        hash: Of the text that was asked for.
    """

    path: Path
    purpose: str
    bound_to: dict[str, str]
    expires_at: str
    text: str | None
    hash: str


@contextmanager
def approved(
    ctx: Context, matter: Matter, *, reason: str = "", confirmation: str = ""
) -> Iterator[Approval]:
    """Do something that needs approval, inside the block.

    The use is written down before the block and its outcome after it. A use that failed gives the
    approval back until it expires; one that was done, or whose end is unknown, spends it.

    Args:
        ctx: The surroundings.
        matter: What is to be done; the first call writes the request, one after two approvers
            signed it goes through.
        reason: Why, for those who approve.
        confirmation: What the operator typed; counts only where there are no approvers.

    Raises:
        HeldError: Signatures or the confirmation are missing, or the request expired.
        RefusedError: The request was changed after it was asked for.
        UsageError: An approver's key cannot be read.
    """
    with ctx.state.locks.held(LOCK):
        _check_clock(ctx)
        kind, approvers, request = _allowed(ctx, matter, reason, confirmation)
        intent = ctx.state.ledger.intent(
            SUBJECT,
            USED,
            way=kind,
            purpose=matter.purpose,
            bound_to=dict(matter.bound_to),
            request=request,
            approvers=list(approvers),
            reason=reason,
            by=_operator(),
        )
    try:
        yield Approval(kind, approvers, intent.seq)
    except MigratorError as error:
        ctx.state.ledger.outcome(intent, result=FAILED, error=error.message)
        raise
    ctx.state.ledger.outcome(intent, result="done")


def ask(ctx: Context, matter: Matter, *, reason: str) -> Path:
    """Put a matter before the approvers.

    Interrupted after the ledger's entry, the file is missing and the same call makes another request.

    Returns:
        The request's file, for them to sign.

    Raises:
        DependencyError: The file cannot be written.
    """
    now = ctx.clock.now()
    request = Request(
        migration=ctx.config.migration.name,
        matter=matter,
        reason=reason,
        asked_by=_operator(),
        asked_at=iso(now),
        expires_at=iso(now + GOOD_FOR),
        nonce=secrets.token_hex(16),
    )
    text = request.to_text()
    name = re.sub(r"[^a-z0-9]+", "-", matter.purpose.lower())
    path = ctx.root / _FOLDER / f"{name}-{hash_of(text)[:_SHOWN_HASH]}.json"
    ctx.state.ledger.note(
        SUBJECT,
        REQUESTED,
        request=hash_of(text),
        file=str(path.relative_to(ctx.root)),
        purpose=matter.purpose,
        bound_to=dict(matter.bound_to),
        expires_at=request.expires_at,
        reason=reason,
        by=request.asked_by,
    )
    with put_in_place(path, what="the request", hint="make room, then the same again") as file:
        file.write(text)
    return path


def open_requests(ctx: Context) -> tuple[Open, ...]:
    """Give the requests that are neither used nor expired, oldest first."""
    entries = ctx.state.ledger.entries(subject=SUBJECT)
    spent = _spent(entries)
    now = ctx.clock.now()
    return tuple(
        _opened(ctx, entry)
        for entry in entries
        if entry.action == REQUESTED
        and entry.body["request"] not in spent
        and now <= parse_iso(entry.body["expires_at"])
    )


def judged(ctx: Context, request: Open) -> Judgement:
    """Say who has signed a request, and what is missing.

    Raises:
        UsageError: An approver's key cannot be read.
    """
    if request.text is None:
        return Judgement((), (f"{request.path.name} is gone",))
    if hash_of(request.text) != request.hash:
        return Judgement((), (f"{request.path.name} was changed after it was asked for",))
    keys = {one.name: one.key(ctx.root) for one in ctx.config.approvers}
    return judge(request.text, signatures_of(request.path), keys, now=ctx.clock.now())


def signature_file(request: Path, name: str) -> Path:
    """Say where an approver's signature is kept: beside the request."""
    return request.with_name(f"{request.stem}.{name}{_ENDING}")


def signatures_of(request: Path) -> tuple[Signature, ...]:
    """Give the signatures beside a request; files that hold none are passed over."""
    found = []
    for path in sorted(request.parent.glob(f"{request.stem}.*{_ENDING}")):
        try:
            found.append(read_signature(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            continue
    return tuple(found)


def _allowed(
    ctx: Context, matter: Matter, reason: str, confirmation: str
) -> tuple[str, tuple[str, ...], str]:
    if not ctx.config.approvers:
        if confirmation != matter.name:
            raise HeldError(
                "\n  ".join(
                    [f"{matter.purpose} needs a second confirmation: type its name", *matter.words]
                ),
                hint=f"the same command with --confirm {matter.name}",
            )
        return CONFIRMATION, (), ""
    request = _request_for(ctx, matter)
    if request is None:
        path = ask(ctx, matter, reason=reason)
        raise _missing(matter, path, "two approvers have to sign it, within an hour")
    if hash_of(request.text or "") != request.hash:
        raise RefusedError(
            f"{request.path.name} was changed after it was asked for: nothing in it is approved",
            hint=f"delete {request.path} and give the same command again: it asks anew",
        )
    found = judged(ctx, request)
    if found.faults:
        raise _missing(matter, request.path, "; ".join(found.faults))
    return APPROVAL, found.approvers, request.hash


def _missing(matter: Matter, path: Path, why: str) -> HeldError:
    return HeldError(
        f"{matter.purpose} is not approved: {why}",
        hint=f"migrator approve sign {path} --key file:KEY --as NAME, then the same command again",
    )


def _request_for(ctx: Context, matter: Matter) -> Open | None:
    """Give the newest request about exactly this matter; one whose file is gone counts as none."""
    wanted = (matter.purpose, dict(matter.bound_to))
    fitting = [
        one
        for one in open_requests(ctx)
        if (one.purpose, one.bound_to) == wanted and one.text is not None
    ]
    return fitting[-1] if fitting else None


def _opened(ctx: Context, entry: Entry) -> Open:
    path = ctx.root / entry.body["file"]
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = None
    body = entry.body
    return Open(path, body["purpose"], body["bound_to"], body["expires_at"], text, body["request"])


def _spent(entries: list[Entry]) -> frozenset[str]:
    failed = {e.intent for e in entries if e.kind == "outcome" and e.body["result"] == FAILED}
    return frozenset(
        e.body["request"]
        for e in entries
        if e.action == USED and e.kind == "intent" and e.seq not in failed
    )


def _check_clock(ctx: Context) -> None:
    """Make sure that no expired approval comes back to life."""
    newest = ctx.state.ledger.entries(last=1)
    if newest and ctx.clock.now() < parse_iso(newest[0].at) - CLOCK_MARGIN:
        raise HeldError(
            f"the ledger's newest entry is of {newest[0].at}, which is still to come: the clock was"
            " set back",
            hint="set the clock right, then the same command again",
        )


def _operator() -> str:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # A container's user may have no name.
        name = f"uid-{os.getuid()}"
    return f"{name}@{socket.gethostname()}"
