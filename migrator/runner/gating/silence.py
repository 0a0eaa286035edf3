"""A person acknowledges that the application has stopped writing to its session store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from migrator.core.approval import Matter
from migrator.core.clock import iso, parse_iso
from migrator.core.errors import HeldError, RefusedError
from migrator.runner.approving import approved
from migrator.sessions.kept import store_key
from migrator.sessions.proven import ACKNOWLEDGE, Silence, describe

if TYPE_CHECKING:
    from datetime import datetime

    from migrator.runner.context import Context
    from migrator.sessions.proven import ProvenStore

SUBJECT, ACTION = "acknowledged", "silent sessions"


@dataclass(frozen=True)
class SilentStore:
    """A session store as it was found.

    Attributes:
        store: As the configuration names it.
        made: Of which table or server, as in `StoreMark`.
        written_at: When it was written to last, None where that is not known.
        user_seen_at: When a session with a user was last found there.
        silence_hash: Of the very table or server that is to be acknowledged.
        known: Nothing has to be acknowledged, or it is.
    """

    store: str
    made: str
    holding: int
    anonymous: int
    written_at: datetime | None
    user_seen_at: datetime
    silence_hash: str
    known: bool


def acknowledged_silence(ctx: Context) -> Silence | None:
    """Give the newest silence that somebody acknowledged."""
    notes = [e for e in ctx.state.ledger.entries(subject=SUBJECT) if e.action == ACTION]
    if not notes:
        return None
    return Silence(notes[-1].body["of"], notes[-1].body["made"], parse_iso(notes[-1].at))


def silent_store(ctx: Context, source: ProvenStore) -> SilentStore:
    """Look at the session store, and say what there is to acknowledge.

    Raises:
        HeldError: It cannot be read, or no session with a user was ever found there: then nobody can know
            that it is the right one, and only the deadline ends its sessions.
    """
    found = source.look()
    if found.store is None or found.doubts:
        reason = found.doubts[0].reason if found.doubts else "nobody knows which store answered"
        raise HeldError(reason, hint=ACKNOWLEDGE)
    if found.user_seen_at is None:
        raise HeldError(
            found.unproven[0].reason,
            hint="migrator dual-path stage show: the deadline ends them too",
        )
    return SilentStore(
        describe(source.place),
        found.store.made,
        found.holding,
        found.anonymous,
        found.written_at,
        found.user_seen_at,
        sha256("\n".join((store_key(ctx.config.legacy), *found.store)).encode()).hexdigest(),
        known=not found.unproven,
    )


def acknowledge_silence(ctx: Context, source: ProvenStore, silence_hash: str) -> SilentStore:
    """Write down that the application writes to this store no more, which two approvers sign.

    It lets a zero count that nothing else proves. The hash, typed, is the second confirmation where there are
    no approvers.

    Args:
        ctx: The surroundings.
        source: The store.
        silence_hash: Of what was shown.

    Raises:
        HeldError: As `silent_store` does, or it is not approved yet.
        RefusedError: It is another table or server by now.
    """
    found = silent_store(ctx, source)
    if found.silence_hash != silence_hash:
        raise RefusedError(f"{found.store} was made anew since", hint=ACKNOWLEDGE)
    matter = Matter(
        purpose=ACKNOWLEDGE.removeprefix("migrator "),
        name=silence_hash,
        words=(
            f"the application keeps no sessions in {found.store} any more",
            f"a session with a user was last found there at {iso(found.user_seen_at)}",
        ),
        bound_to={"store": silence_hash},
    )
    with approved(ctx, matter, confirmation=silence_hash) as approval:
        ctx.state.ledger.note(
            SUBJECT,
            ACTION,
            of=store_key(ctx.config.legacy),
            made=found.made,
            way=approval.kind,
            approvers=list(approval.approvers),
        )
    return replace(found, known=True)
