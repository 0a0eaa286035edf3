"""Reads a delivery of Auther's webhook and believes it only with its signature.

Headers `x-webhook-id`, `x-webhook-timestamp` (Unix milliseconds of the event, the same at each attempt) and
`x-webhook-signature` (hex HMAC-SHA256). Auther signs `<timestamp>.<body>`; its guide says the body alone.
"""

from __future__ import annotations

import hmac
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from migrator.core.clock import parse_iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.config.webhook import Signed

ID, TIMESTAMP, SIGNATURE = "x-webhook-id", "x-webhook-timestamp", "x-webhook-signature"
# By how much Auther's clock may be ahead of ours.
CLOCK_MARGIN = timedelta(minutes=1)

_ID_FORM = re.compile(r"evt_[0-9a-f]{32}")
_TYPE_FORM = re.compile(r"[a-z][a-z0-9_.]{0,63}")
_MS_FORM = re.compile(r"[0-9]{1,15}")
_HEX_SHA256 = re.compile(r"[0-9a-f]{64}")


class Refusal(StrEnum):
    """Why a delivery is not believed."""

    TOO_LARGE = "too_large"
    NO_SIGNATURE = "no_signature"
    BAD_SIGNATURE = "bad_signature"
    MALFORMED = "malformed"
    OUT_OF_TIME = "out_of_time"


class RefusedDeliveryError(ValueError):
    """A delivery that is not believed."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Trust:
    """What makes a delivery Auther's.

    Attributes:
        secret: The endpoint's, used as it is written, `whsec_` included.
        signed: What the signature is over.
        window: How old an event may be; a late attempt carries the event's own time.
    """

    secret: str = field(repr=False)
    signed: Signed
    window: timedelta


@dataclass(frozen=True)
class Delivery:
    """An event that Auther told. Who it is about is not kept: whoever is woken by it reads for himself."""

    id: str
    type: str
    at: datetime


def read(headers: Mapping[str, str], body: bytes, trust: Trust, *, now: datetime) -> Delivery:
    """Give the event.

    Args:
        headers: By name in lower case.
        body: As it came.
        trust: What it has to satisfy.
        now: UTC.

    Raises:
        RefusedDeliveryError: It is not Auther's, or too old.
    """
    event_id, timestamp = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    _check_signature(headers.get(SIGNATURE, ""), timestamp, body, trust)
    told = _parsed(body)
    kind = told.get("type")
    # With the body alone signed, anybody could write another id and time above it.
    if not _ID_FORM.fullmatch(event_id) or told.get("id") != event_id:
        raise RefusedDeliveryError(Refusal.MALFORMED)
    if not isinstance(kind, str) or not _TYPE_FORM.fullmatch(kind):
        raise RefusedDeliveryError(Refusal.MALFORMED)
    at = _time(timestamp if trust.signed == "timestamp.body" else told.get("timestamp"))
    if not now - trust.window <= at <= now + CLOCK_MARGIN:
        raise RefusedDeliveryError(Refusal.OUT_OF_TIME)
    return Delivery(event_id, kind, at)


def sign(body: bytes, timestamp: str, trust: Trust) -> str:
    """Give the hex signature of a delivery."""
    signed = timestamp.encode() + b"." + body if trust.signed == "timestamp.body" else body
    return hmac.new(trust.secret.encode(), signed, sha256).hexdigest()


def _check_signature(given: str, timestamp: str, body: bytes, trust: Trust) -> None:
    if not given:
        raise RefusedDeliveryError(Refusal.NO_SIGNATURE)
    is_hex = _HEX_SHA256.fullmatch(given.lower())
    if not is_hex or not hmac.compare_digest(given.lower(), sign(body, timestamp, trust)):
        raise RefusedDeliveryError(Refusal.BAD_SIGNATURE)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusedDeliveryError(Refusal.MALFORMED) from error
    if not isinstance(told, dict):
        raise RefusedDeliveryError(Refusal.MALFORMED)
    return told


def _time(value: object) -> datetime:
    """Read Unix milliseconds, or ISO 8601 in a body."""
    text = str(value)
    try:
        if _MS_FORM.fullmatch(text):
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        return parse_iso(text)
    except (ValueError, OverflowError, OSError) as error:
        raise RefusedDeliveryError(Refusal.MALFORMED) from error
