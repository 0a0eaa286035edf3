"""`python3 -m tests.setup python|lock|demo|test|mutants`: brings what is missing; quick when nothing is."""

import fcntl
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from tests.setup import debian
from tests.setup.mutmut import ensure_mutmut
from tests.setup.node import (
    ensure_better_auth,
    ensure_express,
    ensure_hono,
    ensure_newest_better_auth,
)
from tests.setup.paths import PARTS
from tests.setup.sqld import ensure_sqld
from tests.setup.steps import PartMissingError, SetupError, say
from tests.setup.venv import LockMisfitError, ensure_venv

Step = Callable[[], None]
SCOPES: dict[str, list[tuple[str, Step]]] = {
    "python": [],
    "lock": [],
    "demo": [("better-auth on Node.js", ensure_better_auth)],
    "mutants": [("mutmut", ensure_mutmut)],
    "test": [
        ("better-auth on Node.js", ensure_better_auth),
        ("the newest better-auth", ensure_newest_better_auth),
        ("a libSQL server", ensure_sqld),
        ("Express with Passport", ensure_express),
        ("Hono", ensure_hono),
        *((part.name, partial(debian.ensure, key)) for key, part in debian.PARTS.items()),
    ],
}


def main(arguments: list[str]) -> int:
    """Set up one scope; 0 when done, 1 when a needed part is missing, 2 for a wrong word."""
    if len(arguments) != 1 or arguments[0] not in SCOPES:
        print(f"usage: python3 -m tests.setup {'|'.join(SCOPES)}", file=sys.stderr)
        return 2
    with _alone():
        try:
            ensure_venv()
        except SetupError as error:
            if arguments[0] == "lock" and isinstance(error, LockMisfitError):
                return 0
            say(f"FAILED: {error}")
            return 1
        missing = [name for name, step in SCOPES[arguments[0]] if not _done(name, step)]
    return 1 if missing and os.environ.get("CI") == "true" else 0


def _done(name: str, step: Step) -> bool:
    try:
        step()
    except PartMissingError as error:
        say(f"MISSING PART: {name}. What needs it is skipped (and fails under CI=true).\n{error}")
        return False
    return True


@contextmanager
def _alone() -> Iterator[None]:
    """One set-up at a time in this folder; a second one waits."""
    PARTS.mkdir(exist_ok=True)
    with (PARTS / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


sys.exit(main(sys.argv[1:]))
