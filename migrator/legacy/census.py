"""Reads every user once, as the import will, and counts password schemes and troubled addresses."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from migrator.core.emails import auther_accepts, normalise
from migrator.legacy.findings import Census, Example, Problem
from migrator.legacy.shapes import cost_label, shape
from migrator.schemes.registry import claimed_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from migrator.core.clock import Clock
    from migrator.core.users import LegacyUser
    from migrator.legacy.interface import LegacySource, Page
    from migrator.schemes.interface import Declared

    EmailLoses = Callable[[str, str, str], bool]

EXAMPLES = 3
_USERNAME = re.compile(r"[A-Za-z0-9_.]{3,30}")

# Problems of addresses and user names, and what each means.
PROBLEMS = {
    "missing": "NULL or blank",
    "edge_space": "white space before or after the address",
    "capitals": "capital letters, which Auther does not tell apart from small ones",
    "shared": "the same address as another row, once normalised, and not the one that keeps it",
    "refused_by_auther": "an address that Auther's sign-in form refuses",
    "username_refused": "a user name that Auther refuses (3 to 30 letters, digits, _ or .)",
}


class CensusTaker:
    """Counts users page by page in bounded memory: counters, and a few examples of each problem."""

    def __init__(self, loses: EmailLoses, declared: Sequence[Declared] = ()) -> None:
        self._loses = loses
        self._declared = declared
        self._schemes: Counter[str] = Counter()
        self._problems: Counter[str] = Counter()
        self._examples: defaultdict[str, list[Example]] = defaultdict(list)
        self._read = self._unclaimed = 0

    def take(self, user: LegacyUser) -> None:
        """Count one user."""
        self._read += 1
        self._count_scheme(user.password, user.salt)
        for problem in _problems_of(user, self._loses):
            self._problems[problem] += 1
            if len(self._examples[problem]) < EXAMPLES:
                self._examples[problem].append(Example(user.pk, user.email or user.username or ""))

    def census(self, seconds: float) -> Census:
        """Give what was counted, the most frequent first."""
        return Census(
            read=self._read,
            seconds=seconds,
            schemes=dict(self._schemes.most_common()),
            unclaimed=self._unclaimed,
            emails={
                name: Problem(self._problems[name], tuple(self._examples[name]))
                for name in PROBLEMS
                if self._problems[name]
            },
        )

    def _count_scheme(self, password: str | None, salt: str | None) -> None:
        if not password:
            self._schemes["no password"] += 1
        elif claim := claimed_by(password, salt, self._declared):
            self._schemes[cost_label(claim.scheme.name, password)] += 1
        else:
            self._schemes[f"unclaimed: {shape(password)}"] += 1
            self._unclaimed += 1


def take_census(
    source: LegacySource,
    loses: EmailLoses,
    *,
    page_rows: int,
    clock: Clock,
    observe: Callable[[Page], None],
    declared: Sequence[Declared] = (),
) -> Census:
    """Read all users.

    Args:
        source: Where they come from.
        loses: Given key, address and normalised address, tells that the row may not have it.
        page_rows: Users per page.
        clock: For the reading rate.
        observe: Sees each page after it is counted.
        declared: What bare digests are, by the operator's word.

    Raises:
        DependencyError: The database failed.
    """
    taker = CensusTaker(loses, declared)
    seconds = 0.0
    for page, took_s in _timed(source.pages(rows=page_rows), clock):
        seconds += took_s
        for user in page.users:
            taker.take(user)
        observe(page)
    return taker.census(seconds)


def _timed(pages: Iterator[Page], clock: Clock) -> Iterator[tuple[Page, float]]:
    """Give each page with the seconds that reading it took, the work on it left out."""
    before = clock.now()
    for page in pages:
        yield page, (clock.now() - before).total_seconds()
        before = clock.now()


def _problems_of(user: LegacyUser, loses: EmailLoses) -> Iterator[str]:
    if user.username is not None and not _USERNAME.fullmatch(user.username):
        yield "username_refused"
    email = user.email or ""
    wanted = normalise(email)
    if not wanted:
        yield "missing"
        return
    if email != email.strip():
        yield "edge_space"
    if wanted != email and any(letter != letter.lower() for letter in email):
        yield "capitals"
    if loses(user.pk, email, wanted):
        yield "shared"
    if not auther_accepts(wanted):
        yield "refused_by_auther"
