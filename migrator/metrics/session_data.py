"""Tells what one of Rails' sessions holds, without loading classes."""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode
from enum import Enum, auto
from typing import NamedTuple

from migrator.metrics.ruby_marshal import VERSION, Hash, MarshalError, Symbol, Value, load

_SCOPE_KEY = re.compile(rb"warden\.user\.(?P<scope>.+)\.key")
_SCOPE_PREFIX = b"warden.user."
_HASHES = (VERSION + b"{", VERSION + b"C")
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BLANKS = bytes.maketrans(b"", b""), b" \t\r\n"


class Holds(Enum):
    """What a session holds."""

    USER = auto()
    OTHER_USER = auto()
    NOBODY = auto()
    UNKNOWN = auto()


class Content(NamedTuple):
    """What a session holds, and whom.

    Attributes:
        user: The user's primary key as text, None where nobody can tell.
    """

    holds: Holds
    user: str | None = None


NOBODY, UNKNOWN = Content(Holds.NOBODY), Content(Holds.UNKNOWN)


def warden_scope(model: str) -> bytes:
    """Give the scope that Devise makes of a model: `Admin::SuperUser` → `admin_super_user`."""
    words = (_CAPITAL.sub("_", part) for part in model.split("::"))
    return "_".join(words).lower().encode()


def content_of_row(data: str | bytes | None, *, scope: bytes) -> Content:
    """Tell what a row of activerecord-session_store holds.

    Args:
        data: The column `data`: Base64 of Marshal, or JSON; None for a session never written to.
        scope: Warden's scope of the migrated model.
    """
    if data is None:
        return NOBODY
    try:
        text = (data.encode("ascii") if isinstance(data, str) else data).strip()
    except UnicodeEncodeError:
        text = str(data).strip().encode("utf-8", "surrogateescape")
    if text.startswith(b"{"):
        return content_of(text, scope=scope)
    try:
        return content_of(b64decode(text.translate(*_BLANKS), validate=True), scope=scope)
    except binascii.Error:
        return UNKNOWN


def content_of(raw: bytes, *, scope: bytes) -> Content:
    """Tell what a session holds that is Marshal or JSON.

    Marshal writes a key's bytes as they are: a hash without Warden's key in it needs no reading, and
    what the application itself cannot load signs nobody in.
    """
    if raw.startswith(_HASHES) and _SCOPE_PREFIX not in raw:
        return NOBODY
    try:
        session = _decoded(raw)
    except (MarshalError, ValueError, RecursionError):
        return UNKNOWN
    if session is None:
        return NOBODY
    if not isinstance(session, Hash):
        return UNKNOWN
    scopes = {found: pair[1] for pair in session.pairs if (found := _scope_of(*pair))}
    if scope in scopes:
        return Content(Holds.USER, _key_of(scopes[scope]))
    return Content(Holds.OTHER_USER) if scopes else NOBODY


def _decoded(raw: bytes) -> Value:
    if not raw.startswith(b"{"):
        return load(raw)
    document = json.loads(raw)
    inner = document.get("value", document)
    return Hash(list(inner.items())) if isinstance(inner, dict) else inner


def _scope_of(key: Value, value: Value) -> bytes | None:
    """Give the scope of a session key that names a user."""
    if value is None or value is False:
        return None
    match = _SCOPE_KEY.fullmatch(_as_bytes(key))
    return match["scope"] if match else None


def _key_of(value: Value) -> str | None:
    """Give the primary key out of Devise's `[[key], salt]`."""
    while isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, int | str | bytes):
        return None
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _as_bytes(key: Value) -> bytes:
    if isinstance(key, Symbol):
        return key.name
    if isinstance(key, str):
        return key.encode()
    return key if isinstance(key, bytes) else b""
