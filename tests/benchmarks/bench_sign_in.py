"""Sign-ins a second with the plugin beside stock better-auth: `python -m tests.benchmarks.bench_sign_in`.

Both run on the same machine in turn, with the same accounts (native scrypt values, so that stock can read
them) and the same load; the plugin computes them by Node's own crypto.scrypt off the main thread.
"""

from __future__ import annotations

import argparse
import os
import secrets
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from migrator.auther.live.capacity import Load, measure, signing_in
from migrator.auther.live.doctor.interface import Account
from tests.auther.plugin.native import native_key
from tests.auther.plugin.users import Users
from tests.parts.better_auth import start

if TYPE_CHECKING:
    from tests.parts.better_auth import BetterAuth

ACCOUNTS = 32
LEAST_RATIO = 3.0
_TICKS = os.sysconf("SC_CLK_TCK")
# With the memory management that the C library has by default.
AS_AUTHER_RUNS = {"GLIBC_TUNABLES": ""}


@dataclass(frozen=True)
class Round:
    """One run.

    Attributes:
        cpu_s: Processor seconds of the server.
    """

    sign_ins: int
    seconds: float
    cpu_s: float
    p95_s: float

    @property
    def per_second(self) -> float:
        """Sign-ins a second."""
        return self.sign_ins / self.seconds

    @property
    def cores(self) -> float:
        """Cores that the server had, on average."""
        return self.cpu_s / self.seconds

    @property
    def per_core(self) -> float:
        """Sign-ins for each processor second."""
        return self.sign_ins / self.cpu_s


def main() -> None:
    """Measure, print both and the ratio, and say whether it holds."""
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=8.0)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--concurrency", type=int, default=16)
    asked = options.parse_args()
    stock_rounds: list[Round] = []
    plugin_rounds: list[Round] = []
    for _ in range(asked.rounds):
        stock_rounds.append(one_round(asked.seconds, asked.concurrency, plugin=False))
        plugin_rounds.append(one_round(asked.seconds, asked.concurrency, plugin=True))
    stock, plugin = middle(stock_rounds), middle(plugin_rounds)
    cores = len(os.sched_getaffinity(0))
    print(f"{asked.concurrency} sign-ins at once, {asked.rounds} rounds in turn, {cores} cores")
    print(line("stock better-auth 1.3.32", stock))
    print(line("with the plugin", plugin))
    ratio = plugin.per_second / stock.per_second
    by_core = plugin.per_core / stock.per_core
    verdict = "holds" if ratio >= LEAST_RATIO else "misses; are all cores idle?"
    print(
        f"ratio {ratio:.1f}, for each processor second {by_core:.1f};"
        f" at least {LEAST_RATIO:g} times the stock sign-ins: {verdict}"
    )


def line(name: str, one: Round) -> str:
    """Say what a round gave."""
    return (
        f"{name:<26}{one.per_second:6.1f} sign-ins/s on {one.cores:.1f} cores,"
        f"{one.per_core:6.1f} for each processor second, 95 % within {one.p95_s:.1f} s"
    )


def one_round(seconds: float, concurrency: int, *, plugin: bool) -> Round:
    """Start a server with accounts, warm it up, load it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "auther.db"
        with start(path, plugin=plugin, env=AS_AUTHER_RUNS) as auther:
            accounts = make_accounts(path)
            auther.sign_in(accounts[0].email, accounts[0].password)
            before, began = cpu_s(auther), time.monotonic()
            attempt = signing_in(f"{auther.base_url}/api/auth")
            load = Load(auther.base_url, accounts, seconds, attempt, ramp=(concurrency,))
            (step,) = measure(load, advance=lambda _step: None)
            assert time.monotonic() - began >= seconds, step.stopped
            return Round(step.sign_ins, step.seconds, cpu_s(auther) - before, step.p95_s)


def make_accounts(path: Path) -> list[Account]:
    """Put accounts with native values into the database; they share one, which costs nothing to check."""
    users, password, salt = Users(path), secrets.token_urlsafe(12), secrets.token_hex(16)
    stored = f"{salt}:{native_key(password, salt)}"
    return [Account(users.add(stored).email, password) for _ in range(ACCOUNTS)]


def cpu_s(auther: BetterAuth) -> float:
    """Give the processor seconds that the server has used."""
    fields = Path(f"/proc/{auther.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def middle(rounds: list[Round]) -> Round:
    """Give the round in the middle by its rate."""
    rate = statistics.median_low([one.per_second for one in rounds])
    return next(one for one in rounds if one.per_second == rate)


if __name__ == "__main__":
    main()
