"""Tells what Django keeps in a session, without its secret and without loading a pickle.

A signature is not checked: whoever can write the table needs no session to be forged.
"""

from __future__ import annotations

import binascii
import json
import zlib
from base64 import b64decode, urlsafe_b64decode

from migrator.metrics.session_data import NOBODY, UNKNOWN, Content, Holds

OWNER = "_auth_user_id"
MAX_BYTES = 4 * 1024 * 1024
_PICKLE = b"\x80"


def content_of_signed(data: str) -> Content:
    """Tell what the column `session_data` holds: `payload:time:signature`, or older, `hash:JSON` in Base64."""
    payload, colon, _ = data.partition(":")
    try:
        return content_of_plain(_signed(payload) if colon else _older(data))
    except (ValueError, binascii.Error, zlib.error):
        return UNKNOWN


def content_of_plain(raw: bytes) -> Content:
    """Tell what serialised data hold: JSON is read, a pickle only searched for the key of a user."""
    if raw.startswith(_PICKLE):
        return Content(Holds.USER) if OWNER.encode() in raw else NOBODY
    try:
        session = json.loads(raw)
    except (ValueError, RecursionError):
        return UNKNOWN
    if not isinstance(session, dict):
        return UNKNOWN
    owner = session.get(OWNER)
    return NOBODY if owner is None else Content(Holds.USER, str(owner))


def _signed(payload: str) -> bytes:
    packed = payload.startswith(".")
    text = payload[packed:]
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return _unpacked(raw) if packed else raw


def _unpacked(raw: bytes) -> bytes:
    reader = zlib.decompressobj()
    found = reader.decompress(raw, MAX_BYTES)
    if reader.unconsumed_tail or not reader.eof:
        raise ValueError("larger than any session, or cut off")
    return found


def _older(data: str) -> bytes:
    _, colon, found = b64decode(data, validate=True).partition(b":")
    if not colon:
        raise ValueError("no hash before the data")
    return found
