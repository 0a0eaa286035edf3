"""The plugin's endpoint beside Auther's own admin API: `python -m tests.benchmarks.bench_endpoint`.

Both on the same running better-auth, in the same run: `admin/create-user` one after the other (it is no faster in
parallel: it hashes every password on the main thread), and pages of users through the import's own way in, which
looks who is there and writes.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import bcrypt
import httpx

from migrator.auther.interface import CREDENTIAL, AccountRow, Mapped, UserRow
from migrator.auther.ways.endpoint import open_endpoint
from migrator.auther.ways.sqlite import open_sqlite
from migrator.core.envelope import Envelope
from migrator.core.ids import account_id, user_id
from tests.auther.plugin.door import ENVIRONMENT, MARK, SECRETS
from tests.parts.better_auth import BetterAuth, start

KEY = b"k" * 32
ADMIN = "admin@example.org"
PASSWORD = "correct horse battery"
LEAST_RATIO = 300
# Without the option the plugin writes row by row; that takes so many times longer.
ROW_BY_ROW = 20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--created", type=int, default=20)
    arguments, _ = parser.parse_known_args()
    for database, users in (("1", arguments.users), ("0", arguments.users // ROW_BY_ROW)):
        with tempfile.TemporaryDirectory(prefix="migrator-bench-") as folder:
            path = Path(folder) / "auther.db"
            _make_admin(path)
            env = {**ENVIRONMENT, "PLUGIN_DATABASE": database}
            with start(path, env=env) as auther:
                _compare(auther, users, arguments.created, database=database)


def _compare(auther: BetterAuth, users: int, created: int, *, database: str) -> None:
    half = created // 2
    before_s = _create(auther, half, offset=0)
    endpoint = users / _import(auther, users)
    admin = 2 * half / (before_s + _create(auther, half, offset=half))
    ratio = endpoint / admin
    verdict = "holds" if ratio >= LEAST_RATIO else "misses"
    how, bound = (
        ("with", f"; at least {LEAST_RATIO}: {verdict}") if database == "1" else ("without", "")
    )
    print(
        f"{how} the plugin's option database: endpoint {endpoint:,.0f} users/s,"
        f" admin/create-user {admin:.1f} users/s, ratio {ratio:,.0f}{bound}",
        flush=True,
    )


def _create(auther: BetterAuth, users: int, *, offset: int) -> float:
    origin = {"Origin": auther.base_url}
    with httpx.Client(base_url=f"{auther.base_url}/api/auth", headers=origin, timeout=60) as admin:
        signed_in = admin.post("/sign-in/email", json={"email": ADMIN, "password": PASSWORD})
        signed_in.raise_for_status()
        began = time.perf_counter()
        for number in range(offset, offset + users):
            user = {"email": f"made{number}@example.org", "name": "x", "password": PASSWORD}
            admin.post("/admin/create-user", json={**user, "role": "user"}).raise_for_status()
        return time.perf_counter() - began


def _import(auther: BetterAuth, users: int) -> float:
    rows = [_row(number) for number in range(1, users + 1)]
    with open_endpoint(f"{auther.base_url}/api/auth", secret=SECRETS["IMPORT"]) as target:
        began = time.perf_counter()
        for start_at in range(0, users, target.page_rows):
            page = rows[start_at : start_at + target.page_rows]
            assert not target.find(page).ids
            target.write(page)
        return time.perf_counter() - began


def _row(number: int, *, email: str = "", role: str = "user", password: str = "") -> Mapped:
    owner = user_id(KEY, namespace="bench", source="User", pk=number)
    address = email or f"member{number}@example{number % 97}.org"
    user = UserRow(owner, "Member", address, 1, None, 1, 2, role, 0, None, None, None, None)
    key = account_id(MARK, owner=owner, provider=CREDENTIAL, subject=owner)
    value = Envelope("bcrypt", password or "$2a$12$" + "x" * 53, ("none",)).encode()
    account = AccountRow(key, owner, CREDENTIAL, owner, value, 1, 2)
    return Mapped(str(number), user, (account,), None, None, ())


def _make_admin(path: Path) -> None:
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    with open_sqlite(path) as target:
        target.write([_row(0, email=ADMIN, role="admin", password=hashed)])


if __name__ == "__main__":
    main()
