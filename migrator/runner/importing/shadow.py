"""Says what the shadow check has proven: at most how many users Auther would refuse."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.legacy.connect import describe_table, open_database
from migrator.legacy.shadow import ShadowChecks, read_shadow

if TYPE_CHECKING:
    from migrator.runner.context import Context

SHOWN = 20
CONFIDENCE = 0.95
# 0 mismatches among 3,000 users.
GOOD_SHARE = 0.001
_STEPS = 60


@dataclass(frozen=True)
class ShadowProof:
    """What is known after so many users.

    Attributes:
        bound: With 95 % confidence at most this share of all users would be refused, 0 to 1.
        at_most: The share that was asked for.
    """

    checks: ShadowChecks
    bound: float
    at_most: float

    @property
    def holds(self) -> bool:
        """Tell that nobody was refused and enough users were seen."""
        return self.checks.mismatched == 0 and self.bound <= self.at_most

    @property
    def users_missing(self) -> int:
        """Give how many more users must be seen without a mismatch; 0 when enough were."""
        needed = math.ceil(math.log(1 - CONFIDENCE) / math.log1p(-self.at_most))
        return max(0, needed - self.checks.users)


def shadow_proof(ctx: Context, *, at_most: float = GOOD_SHARE) -> ShadowProof:
    """Read what the shims wrote down.

    Args:
        ctx: The surroundings.
        at_most: The share of users that may at most be refused, above 0 and below 1.

    Raises:
        DependencyError: The application's database cannot be read.
    """
    settings = ctx.config.legacy
    with open_database(ctx.reveal(settings.dsn)) as connection:
        users = describe_table(connection, settings.users_table, key="legacy.users_table")
        checks = read_shadow(connection, users, source=settings.model, shown=SHOWN)
    return ShadowProof(checks, upper_bound(checks.mismatched, checks.users), at_most)


def upper_bound(found: int, of: int) -> float:
    """Give the one-sided 95 % bound on a share (Clopper and Pearson, 1934).

    Args:
        found: How many of those looked at had the property.
        of: How many were looked at; each counts once.

    Returns:
        The largest share under which seeing no more than `found` still has a probability of 5 %.
    """
    if found >= of:
        return 1.0
    low, high = found / of, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _at_most(found, of, middle) > 1 - CONFIDENCE:
            low = middle
        else:
            high = middle
    return high


def _at_most(found: int, of: int, share: float) -> float:
    """Give the binomial probability of seeing at most `found`."""
    if not 0 < share < 1:
        return 1.0 if share <= 0 else 0.0
    log_ways = math.lgamma(of + 1)
    return math.fsum(
        math.exp(
            log_ways
            - math.lgamma(k + 1)
            - math.lgamma(of - k + 1)
            + k * math.log(share)
            + (of - k) * math.log1p(-share)
        )
        for k in range(found + 1)
    )
