"""What a target's own benchmark hands over, and what can be said of it.

A target runs in process, in its own language, and prints one line of JSON:

    {"library": "PyJWT 2.12.1", "fresh": [[bare_ns, shim_ns], …], "cached": […], "legacy": […],
     "memory_kib": [after 1, 2 and 3 times the cache's size in distinct tokens]}

Each pair is one request without and one with the shim, one right after the other and in turn first, so that a
busy machine slows both. The lookup of the user is the same constant on both sides.

    fresh   bare: the library verifies the token. Shim: a request with that token, never seen before.
    cached  bare: the application alone. Shim: a request with a token that was verified before.
    legacy  bare: the application reads its own session. Shim: the same request, no token in it.

Where each request begins with nothing, "alone" holds the same three, measured in requests of their own, each row
with what the shim's share is made of: [bare_ns, shim_ns, its provider, its objects, its decision, behind the answer],
and "nothing" says what the framework takes there for a package that does nothing.
"""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.benchmarks.pairs import Middle

if TYPE_CHECKING:
    from collections.abc import Mapping

MIN_PAIRS = 200
SHARES = ("provider", "objects", "decision", "behind the answer")


@dataclass(frozen=True)
class Median:
    """A median and its 95 % interval, in microseconds."""

    us: float
    low_us: float
    high_us: float

    @classmethod
    def of(cls, nanoseconds: list[int]) -> Median:
        """Give the median of a sample."""
        return cls(*(value / 1000 for value in Middle.of(nanoseconds)))

    def relative_to(self, us: float) -> Median:
        """Give all three as a share of something, in percent."""
        return Median(*(value / us * 100 for value in (self.us, self.low_us, self.high_us)))


@dataclass(frozen=True)
class Alone:
    """What the shim adds to a request that begins with nothing.

    Attributes:
        shares_us: Medians of its parts, by their names; what runs behind the answer delays nobody.
    """

    added: Median
    shares_us: Mapping[str, float]

    @classmethod
    def of(cls, rows: list[list[int]]) -> Alone:
        """Give what rows of nanoseconds say."""
        shares = zip(*(row[2:] for row in rows), strict=True)
        named = zip(SHARES, shares, strict=True)
        return cls(
            Median.of([row[1] - row[0] for row in rows]),
            {name: statistics.median(share) / 1000 for name, share in named},
        )


@dataclass(frozen=True)
class Measured:
    """One target's figures.

    Attributes:
        bare: The library's verification of a token, with the lookup.
        fresh: What the shim adds to it at a token's first sight.
        cached: What it adds to a request with a token that it has seen.
        legacy: What it adds to a request with a legacy session alone.
        alone: The three of them in requests of their own, and medians of the shares; only where that differs.
        nothing_us: What the framework takes there for a package that does nothing.
        memory_kib: Resident after one, two and three times the cache's size in distinct tokens.
    """

    library: str
    bare: Median
    fresh: Median
    cached: Median
    legacy: Median
    memory_kib: tuple[int, ...]
    alone: Mapping[str, Alone] = field(default_factory=dict)
    nothing_us: float = 0


def read(text: str) -> Measured:
    """Read what a target printed.

    Raises:
        ValueError: Too few pairs to say anything.
    """
    said = json.loads(text)
    pairs: dict[str, list[tuple[int, int]]] = {
        name: [(bare, shim) for bare, shim in said[name]] for name in ("fresh", "cached", "legacy")
    }
    if any(len(found) < MIN_PAIRS for found in pairs.values()):
        raise ValueError(f"fewer than {MIN_PAIRS} pairs")
    added = {name: [shim - bare for bare, shim in found] for name, found in pairs.items()}
    return Measured(
        library=said["library"],
        bare=Median.of([bare for bare, _ in pairs["fresh"]]),
        fresh=Median.of(added["fresh"]),
        cached=Median.of(added["cached"]),
        legacy=Median.of(added["legacy"]),
        memory_kib=tuple(said["memory_kib"]),
        alone={kind: Alone.of(rows) for kind, rows in said.get("alone", {}).items()},
        nothing_us=statistics.median(said.get("nothing", [0])) / 1000,
    )
