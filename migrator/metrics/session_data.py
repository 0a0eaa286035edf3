"""Tells what one row of activerecord-session_store holds, without loading classes."""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode
from enum import Enum, auto

from migrator.metrics.ruby_marshal import Hash, MarshalError, Symbol, Value, load

_SCOPE_KEY = re.compile(rb"warden\.user\.(?P<scope>.+)\.key")
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Holds(Enum):
    """What a row holds."""

    USER = auto()
    OTHER_USER = auto()
    NOBODY = auto()
    UNKNOWN = auto()


def warden_scope(model: str) -> bytes:
    """Give the scope that Devise makes of a model: `Admin::SuperUser` → `admin_super_user`."""
    words = (_CAPITAL.sub("_", part) for part in model.split("::"))
    return "_".join(words).lower().encode()


def holds(data: str | None, *, scope: bytes) -> Holds:
    """Tell what a row holds.

    Args:
        data: The column `data`: Base64 of Marshal, or JSON; None for a session never written to.
        scope: Warden's scope of the migrated model.
    """
    if data is None:
        return Holds.NOBODY
    try:
        session = _decoded(data)
    except (MarshalError, ValueError, binascii.Error, RecursionError):
        return Holds.UNKNOWN
    if session is None:
        return Holds.NOBODY
    if not isinstance(session, Hash):
        return Holds.UNKNOWN
    scopes = {found for pair in session.pairs if (found := _scope_of(*pair))}
    if scope in scopes:
        return Holds.USER
    return Holds.OTHER_USER if scopes else Holds.NOBODY


def _decoded(data: str) -> Value:
    text = data.strip()
    if text.startswith("{"):
        document = json.loads(text)
        inner = document.get("value", document)
        return Hash(list(inner.items())) if isinstance(inner, dict) else inner
    return load(b64decode("".join(text.split()), validate=True))


def _scope_of(key: Value, value: Value) -> bytes | None:
    """Give the scope of a session key that names a user."""
    if value is None or value is False:
        return None
    match = _SCOPE_KEY.fullmatch(_as_bytes(key))
    return match["scope"] if match else None


def _as_bytes(key: Value) -> bytes:
    if isinstance(key, Symbol):
        return key.name
    if isinstance(key, str):
        return key.encode()
    return key if isinstance(key, bytes) else b""
