"""Whether an address has an account cannot be told from the time that a sign-in takes."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import bcrypt
import pytest

from tests.auther.plugin.users import User, Users, envelope
from tests.parts import require
from tests.parts.better_auth import BetterAuth, start

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

ATTEMPTS = 10
PEPPERS = {"a": "one pepper", "b": "another"}


def hashed(cost: int) -> str:
    return bcrypt.hashpw(b"correct horse", bcrypt.gensalt(cost)).decode()


def prepare(
    path: Path, stored: Sequence[str], *, newest: bool = False
) -> tuple[Users, list[User]]:
    """Make the tables and the users before the server under test starts."""
    require("newest" if newest else "node")
    users = Users(path)
    start(path, newest=newest).stop()
    return users, [users.add(value) for value in stored]


def medians(
    tries: Sequence[Callable[[], object]], samples: int, *, taken: list[list[float]] | None = None
) -> list[float]:
    """Give the median time of each in seconds, all of them measured in turn.

    Args:
        tries: What is measured.
        samples: How often.
        taken: Times that were taken before, which count too; new ones are added.
    """
    taken = [[] for _ in tries] if taken is None else taken
    for _ in range(samples):
        for attempt, times in zip(tries, taken, strict=True):
            since = time.perf_counter()
            attempt()
            times.append(time.perf_counter() - since)
    return [statistics.median(times) for times in taken]


def refused(auther: BetterAuth, email: str) -> Callable[[], None]:
    def attempt() -> None:
        answer = auther.sign_in(email, "a wrong password")
        assert (answer.status, answer.code) == (401, "INVALID_EMAIL_OR_PASSWORD")

    return attempt


@pytest.mark.parametrize("newest", [False, True])
def test_an_unknown_address_costs_what_the_commonest_kind_costs(
    tmp_path: Path, newest: bool
) -> None:
    """bcrypt of cost 4 takes a hundredth of better-auth's own scrypt, which a stock Auther would run."""
    native = "0123456789abcdef" * 2 + ":" + "0" * 128
    values = [envelope(hashed(4))] * 5 + [native] * 3
    users, known = prepare(tmp_path / "auther.db", values, newest=newest)
    nobody = users.add(None, credential=False)
    with start(users.path, newest=newest) as auther:
        emails = [known[0].email, known[-1].email, "nobody@example.com", nobody.email]
        common, rare, unknown, without = medians([refused(auther, e) for e in emails], 3)
    assert common < rare / 3
    assert unknown < rare / 2
    assert without < rare / 2


def test_without_any_password_the_native_format_is_the_measure(tmp_path: Path) -> None:
    users, _ = prepare(tmp_path / "auther.db", [])
    nobody = users.add(None, credential=False)
    with start(users.path) as auther:
        tries = [refused(auther, "nobody@example.com"), refused(auther, nobody.email)]
        tries.append(lambda: auther.request("GET", "/health"))
        unknown, without, nothing = medians(tries, 5)
    assert min(unknown, without) > 5 * nothing


def test_a_decoy_signs_nobody_in_and_changes_no_row(tmp_path: Path) -> None:
    """The decoy is somebody's stored value: whoever types that password elsewhere gains nothing."""
    users, known = prepare(tmp_path / "auther.db", [envelope(hashed(4))] * 3)
    nobody = users.add(None, credential=False)
    before = users.rows("SELECT * FROM account")
    with start(users.path) as auther:
        for email in ("nobody@example.com", nobody.email):
            assert auther.sign_in(email, "correct horse").status == 401
        assert users.rows("SELECT * FROM account") == before
        assert auther.sign_in(known[0].email, "correct horse").status == 200


@pytest.mark.parametrize("newest", [False, pytest.param(True, marks=pytest.mark.long)])
def test_medians_lie_within_a_tenth(tmp_path: Path, newest: bool) -> None:
    """Measured in turn, so that a busy machine slows all of them, and for longer when it is too busy."""
    values = [envelope(hashed(8), "a", "b")] * 4 + [envelope(hashed(6))] * 3
    users, known = prepare(tmp_path / "auther.db", values, newest=newest)
    nobody = users.add(None, credential=False)
    emails = [known[0].email, "nobody@example.com", nobody.email]
    with start(users.path, newest=newest, peppers=PEPPERS) as auther:
        tries = [refused(auther, email) for email in emails]
        taken: list[list[float]] = [[] for _ in tries]
        for _ in range(ATTEMPTS):
            wrong, unknown, without = medians(tries, 25, taken=taken)
            ratios = (unknown / wrong, without / wrong)
            if all(0.9 < ratio < 1.1 for ratio in ratios):
                return
    pytest.fail(f"medians differ: {ratios}")
