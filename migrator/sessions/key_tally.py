"""Counts keys that a scan may give more than once, each once, at 8 bytes a key.

A key is remembered as 54 bits of a keyed hash with what is known of it. Among a million keys two fall
together once in 36,000 counts, and then one that is there remains: no count comes to 0 by it.
"""

from __future__ import annotations

import os
from array import array
from datetime import timedelta
from hashlib import blake2b
from struct import Struct
from typing import TYPE_CHECKING

from migrator.metrics.session_data import Holds

if TYPE_CHECKING:
    from datetime import datetime

    from migrator.sessions.tally import Tally

# In the order of what is worse: of a key that is seen twice the worse counts.
KINDS = (Holds.NOBODY, Holds.OTHER_USER, Holds.UNKNOWN, Holds.USER)
ENDLESS_MS = -1
_RANK = {kind: rank << 16 for rank, kind in enumerate(KINDS)}
_BUCKETS = 256
_SALT_BYTES = 16
_VALUE_BYTES = 8
_PART = Struct("<BI")
_HASH_BITS = (1 << 46) - 1
_ENDLESS = 0xFFFF
_HOUR_MS = 3_600_000


class KeyTally:
    """Keys by what they hold and in which hour they end.

    Args:
        salt: Keys the hashes; that of a tally whose keys are loaded.
    """

    def __init__(self, salt: bytes | None = None) -> None:
        self.salt = salt or os.urandom(_SALT_BYTES)
        self._buckets = [array("Q") for _ in range(_BUCKETS)]
        self._taken = [0] * _BUCKETS

    def add(self, key: bytes, holds: Holds, left_ms: int) -> None:
        """Count a key; `left_ms` is what is left of its time, `ENDLESS_MS` for ever."""
        hashed = int.from_bytes(blake2b(key, digest_size=8, key=self.salt).digest(), "little")
        hours = _ENDLESS if left_ms < 0 else min(left_ms // _HOUR_MS, _ENDLESS - 1)
        known = (hashed >> 8 & _HASH_BITS) << 18 | _RANK[holds] | hours
        self._buckets[hashed & 0xFF].append(known)

    def take_fresh(self) -> bytes:
        """Give what was added since the last time, for `load`."""
        parts = []
        for number, bucket in enumerate(self._buckets):
            fresh = bucket[self._taken[number] :]
            if fresh:
                parts += [_PART.pack(number, len(fresh)), fresh.tobytes()]
                self._taken[number] = len(bucket)
        return b"".join(parts)

    def load(self, kept: bytes) -> None:
        """Add what another tally of the same salt gave."""
        at = 0
        while at < len(kept):
            number, count = _PART.unpack_from(kept, at)
            at += _PART.size
            self._buckets[number].frombytes(kept[at : at + count * _VALUE_BYTES])
            at += count * _VALUE_BYTES
        self._taken = [len(bucket) for bucket in self._buckets]

    def into(self, tally: Tally, *, at: datetime) -> None:
        """Add all to a tally.

        Args:
            tally: What counts.
            at: When the keys were read.
        """
        for bucket in self._buckets:
            before = -1
            for known in sorted(bucket, reverse=True):
                if known >> 18 != before:
                    before = known >> 18
                    _count(tally, KINDS[known >> 16 & 3], known & 0xFFFF, at)


def _count(tally: Tally, holds: Holds, hours: int, at: datetime) -> None:
    if hours == _ENDLESS:
        tally.endless += holds is Holds.USER
        tally.add(holds)
    else:
        # Rounded up: it may not end before it is said to.
        tally.add(holds, ends=at + timedelta(hours=hours + 1))
