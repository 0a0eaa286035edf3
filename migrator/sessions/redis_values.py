"""What the values of session keys in Redis hold, by the library that wrote them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from migrator.metrics.session_data import NOBODY, UNKNOWN, Content, Holds, content_of
from migrator.sessions.django_data import content_of_plain

if TYPE_CHECKING:
    from migrator.config.sessions import RedisFormat

Reader: TypeAlias = Callable[[bytes], Content]


def reader_of(name: RedisFormat, *, scope: bytes) -> Reader:
    """Give what reads a value of a format.

    Args:
        name: As in migrator.toml.
        scope: Warden's scope of the migrated model, for Rails.
    """
    readers: dict[RedisFormat, Reader] = {
        "rails": lambda raw: content_of(raw, scope=scope),
        "express": _express,
        "django": content_of_plain,
        "plain": lambda _: Content(Holds.USER),
    }
    return readers[name]


def _express(raw: bytes) -> Content:
    """Read connect-redis' JSON, in which Passport keeps the user's key."""
    if raw.startswith(b"{") and raw.endswith(b"}") and b'"passport"' not in raw:
        return NOBODY
    try:
        session = json.loads(raw)
    except (ValueError, RecursionError):
        return UNKNOWN
    if not isinstance(session, dict):
        return UNKNOWN
    passport = session.get("passport")
    if not isinstance(passport, dict) or passport.get("user") is None:
        return NOBODY
    owner = passport["user"]
    return Content(Holds.USER, str(owner) if isinstance(owner, int | str) else None)
