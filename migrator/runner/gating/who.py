"""Lists who is still on the legacy path, or never leaves it by themselves, and what to do about them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from migrator.core.clock import iso
from migrator.core.ids import pseudonym
from migrator.core.redact import mask_email
from migrator.legacy.left import open_left
from migrator.runner.gating.stores import place_of, remembered, session_store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from migrator.legacy.left import LeftRow, LeftTables
    from migrator.runner.context import Context
    from migrator.sessions.interface import Holder


LATELY = timedelta(days=7)


@dataclass(frozen=True)
class Asked:
    """Which part of a list is wanted.

    Attributes:
        after: Empty, or what the page before gave.
    """

    after: str
    rows: int


@dataclass(frozen=True)
class Left:
    """Somebody who is left.

    Attributes:
        user: The primary key; empty where only the session is known.
        email: Empty where it is not known.
        why: In words.
    """

    user: str
    email: str
    why: str


@dataclass(frozen=True)
class LeftPage:
    """Some of one kind.

    Attributes:
        todo: What to do about all of that kind.
        after: What asks for the next page, None after the last one.
    """

    kind: str
    todo: str
    left: tuple[Left, ...]
    after: str | None


class _Kind(NamedTuple):
    todo: str
    list: Callable[[Context, LeftTables, Asked], tuple[list[Left], str | None]]


def who(ctx: Context, kinds: Sequence[str], asked: Asked) -> list[LeftPage]:
    """List some of each kind; nothing is written.

    Args:
        ctx: The surroundings.
        kinds: Names in `KINDS`.
        asked: Which part.

    Raises:
        UsageError: A table or column is missing.
        DependencyError: A database failed.
    """
    place = place_of(ctx)
    pages = []
    with open_left(place.dsn(), place.legacy, limit_s=place.limit_s) as tables:
        for kind in kinds:
            left, after = KINDS[kind].list(ctx, tables, asked)
            emails = tables.addresses([each.user for each in left if each.user])
            named = tuple(replace(each, email=emails.get(each.user) or "") for each in left)
            pages.append(LeftPage(kind, KINDS[kind].todo, named, after))
    return pages


def masked(pages: Sequence[LeftPage], key: bytes, source: str) -> list[LeftPage]:
    """Give the pages with what stands for each user; the cursors stay, they are what asks again."""
    return [
        replace(
            page,
            left=tuple(
                replace(
                    each,
                    user=each.user and pseudonym(key, source=source, pk=each.user),
                    email=each.email and mask_email(each.email),
                )
                for each in page.left
            ),
        )
        for page in pages
    ]


def _pinned(_ctx: Context, tables: LeftTables, asked: Asked) -> tuple[list[Left], str | None]:
    rows = tables.pinned(after=asked.after, rows=asked.rows)
    return _users(rows, asked, lambda row: f"pinned: {row.detail}{_at(', last seen ', row.at)}")


def _recent(ctx: Context, tables: LeftTables, asked: Asked) -> tuple[list[Left], str | None]:
    since = ctx.clock.now() - LATELY
    rows = tables.recent(since=since, after=asked.after, rows=asked.rows)
    return _users(rows, asked, lambda row: f"seen on the legacy path{_at(' ', row.at)}")


def _remembered(ctx: Context, tables: LeftTables, asked: Asked) -> tuple[list[Left], str | None]:
    if not tables.remembers or remembered(ctx).over:
        return [], None
    rows = tables.remembered(after=asked.after, rows=asked.rows)
    return _users(rows, asked, lambda row: f"remembered{_at(' since ', row.at)}")


def _sessions(ctx: Context, _tables: LeftTables, asked: Asked) -> tuple[list[Left], str | None]:
    page = session_store(ctx).holders(after=asked.after, rows=asked.rows)
    return [Left(each.user or "", "", _why(each)) for each in page.holders], page.after


def _users(
    rows: Sequence[LeftRow], asked: Asked, why: Callable[[LeftRow], str]
) -> tuple[list[Left], str | None]:
    left = [Left(row.pk, "", why(row)) for row in rows]
    return left, rows[-1].pk if len(rows) == asked.rows else None


def _why(holder: Holder) -> str:
    named = f" {holder.key_hash}" if holder.key_hash and not holder.user else ""
    what = f"session{named}" if holder.sessions == 1 else f"{holder.sessions:,} sessions"
    ends = _at(", the last ends ", holder.ends_at) or ", with no end of its own known"
    return f"{what}{_at(', last used ', holder.used_at)}{ends}"


def _at(before: str, at: datetime | None) -> str:
    return "" if at is None else f"{before}{iso(at)}"


KINDS: dict[str, _Kind] = {
    "pinned": _Kind(
        "they keep the legacy doors until stage auther and lose access then: help each to a second"
        " factor or an address that Auther takes (migrator user show EMAIL), or acknowledge the list",
        _pinned,
    ),
    "sessions": _Kind(
        "they move when they come back in stage drain; a session without an end of its own ends at the"
        " deadline only (migrator dual-path stage show)",
        _sessions,
    ),
    "remembered": _Kind(
        "a token ends by itself after remember_for; to end all of a user earlier, sign that user out"
        " everywhere in the application",
        _remembered,
    ),
    "recent": _Kind(
        "find out what keeps them there: an old application, a door for programs, a pinned user"
        " (migrator user show EMAIL)",
        _recent,
    ),
}
