"""The positive control: a signed marker that every shim counts like legacy traffic."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

HEADER = "X-Migrator-Control"
NONCE_BYTES = 16


def marker(secret: str, *, at: datetime, nonce: str) -> str:
    """Make the header's value: `v1.<unix seconds>.<nonce>.<HMAC-SHA256>`, good for 60 s and once.

    Args:
        secret: Shared with the shims.
        at: Now.
        nonce: 32 hex digits, never used before.
    """
    signed = f"v1.{int(at.timestamp())}.{nonce}"
    return f"{signed}.{hmac.new(secret.encode(), signed.encode(), sha256).hexdigest()}"
