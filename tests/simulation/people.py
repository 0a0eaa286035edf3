"""Who still has a legacy session when the drain begins, and what goes wrong meanwhile: drawn by seed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from random import Random

STEP = timedelta(hours=3)
MONTH = timedelta(days=30)
SESSION_TTL = timedelta(days=7)
LAST_FAULT_ENDS = timedelta(days=24)
MEAN_STAY = timedelta(days=5)
LONGEST_STAY = timedelta(days=15)


class Fault(StrEnum):
    """What can go wrong with the measuring."""

    KILLED = "an instance is killed"
    FROZEN = "an instance does not answer any more"
    SKEWED = "an instance's clock goes wrong"
    FORBIDDEN = "the session table may not be read"
    UNDECODABLE = "a session cannot be decoded"
    OTHER_SECRET = "the marker is signed with another secret"
    UNWATCHED = "nobody looks"
    RESET = "an instance loses its counters"


@dataclass(frozen=True)
class Visitor:
    """Somebody with a legacy session.

    Attributes:
        visits: Steps at which a page is opened.
        leaves_at: The step of the last visit.
        signs_out: At the last visit; otherwise the session's row goes a TTL later.
    """

    visits: frozenset[int]
    leaves_at: int
    signs_out: bool

    @property
    def gone_at(self) -> int:
        """The step from which on no session is left."""
        return self.leaves_at + (0 if self.signs_out else SESSION_TTL // STEP)


@dataclass(frozen=True)
class Trouble:
    """A fault from one step to before another."""

    fault: Fault
    begins: int
    ends: int


def visitors(seed: int, *, count: int) -> list[Visitor]:
    """Draw so many people: a few come for days, most stop coming soon."""
    random = Random(f"visitors {seed}")
    return [_visitor(random) for _ in range(count)]


def _visitor(random: Random) -> Visitor:
    stay = min(random.expovariate(1 / MEAN_STAY.total_seconds()), LONGEST_STAY.total_seconds())
    leaves_at = int(stay / STEP.total_seconds()) + 1
    visits = {step for step in range(leaves_at) if random.random() < 0.2} | {leaves_at}
    return Visitor(frozenset(visits), leaves_at, signs_out=random.random() < 0.5)


def troubles(seed: int, *, count: int) -> list[Trouble]:
    """Draw so many faults of different kinds; some of them overlap."""
    random = Random(f"troubles {seed}")
    latest = LAST_FAULT_ENDS // STEP
    drawn = []
    for fault in random.sample(list(Fault), count):
        begins, lasts = random.randrange(2, latest - 8), random.randint(1, 8)
        drawn.append(Trouble(fault, begins, begins + lasts))
    return drawn
