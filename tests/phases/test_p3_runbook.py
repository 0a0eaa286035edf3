"""The runbook of the drain is rehearsed: two instances that count, a session table, two approvers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.core.stage import Stage
from tests.parts.drain import Drain
from tests.parts.stage_file import create_side_tables
from tests.phases.operating import Operator, first, new_migration, newest_request
from tests.phases.runbook import left_out, steps

if TYPE_CHECKING:
    from tests.parts.shim_fixtures import Pair

PAGE = (Path(__file__).parents[2] / "runbooks" / "p3-drain.md").read_text(encoding="utf-8")
# The gates of a new configuration that need no more than a database and two instances, and their spans short.
GATES = """
[[gates]]
name = "pinned-acknowledged"
before = "auther"
measure = "unacknowledged_users"
at_most = 0
consecutive = 1
span = "0s"
[[gates]]
name = "drain-quiet"
before = "auther"
measure = "legacy_requests"
at_most = 0
consecutive = 2
interval = "1s"
span = "1s"
[[gates]]
name = "drain-sessions"
before = "auther"
measure = "legacy_sessions"
at_most = 0
consecutive = 2
interval = "1s"
span = "1s"
"""
SITE = """
[legacy]
session_ttl = "1d"
[auther]
base_url = "https://id.example.org"
client_id = "shop"
sign_up_url = "https://shop.example.org/register"
forgot_password_url = "https://shop.example.org/password"
links_accounts = false
[shim]
redirect_uri = "https://shop.example.org/auth/callback"
[drain]
interval = "1s"
[stage]
heartbeat_within = "1h"
"""
# An epoch that is never reached: both follow whatever is published.
ROWS = """
INSERT INTO migrator_instance
SELECT name, '1', 'auther', 'drain', 1000000, 'live', true, now() FROM unnest(ARRAY['web-1', 'web-2']) AS name;
INSERT INTO migrator_identity (source, user_pk, auther_id, pinned_reason)
VALUES ('User', '18', 'auther-18', 'second_factor'), ('User', '19', 'auther-19', 'invalid_email');
"""
# Commands in sentences that are part of no command that is rehearsed, and where they are tried.
IN_SENTENCES = {
    "migrator dual-path stage show": "phase 2",
    "migrator notify test": "needs a receiver; tests/runner/notifying",
    "migrator ledger show": "tests/cli",
    "migrator ledger verify": "tests/cli",
    "migrator auther doctor": "phase 1",
    "migrator approve list": "phase 4",
    "migrator gate acknowledge --sessions": "tests/cli",
    "migrator gate check drain-quiet": "all gates of the step are checked",
}


@pytest.fixture
def drain(tmp_path: Path, devise_db: str, shims: Pair, monkeypatch: pytest.MonkeyPatch) -> Drain:
    """Two instances in the drain, twelve people with a session, twenty visitors."""
    drain = Drain(tmp_path, devise_db, shims)
    create_side_tables(devise_db)
    drain.end_sessions()
    with psycopg.connect(devise_db, autocommit=True) as connection:
        connection.execute(ROWS)
    monkeypatch.chdir(tmp_path)
    for name, value in drain.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GATE_TOKEN", "a token of the tests, long enough")
    drain.sign_in("user", rows=12)
    drain.sign_in("visitor", rows=20)
    shims[0].count("legacy", n=900)
    shims[1].count("auther", n=50)
    return drain


@pytest.fixture
def operator(drain: Drain) -> Operator:
    """Somebody at the place where phase 2 ended."""
    web_1, web_2 = drain.shims
    new_migration(drain.root, gates=GATES)
    operator = Operator(
        drain.root,
        scenes={"the last sessions end": lambda: last_sessions_end(drain)},
        words={
            "http://10.0.0.5:3000": lambda: web_1.address,
            "http://10.0.0.6:3000": lambda: web_2.address,
            "0.0.0.0:8600": lambda: "127.0.0.1:0",
            "REQUEST.json": lambda: newest_request(drain.root),
            "HASH": lambda: first(r"--hash (\w+)", operator.said),
        },
        added={"migrator dashboard": ("--listen", "127.0.0.1:0")},
    )
    operator.configure(SITE)
    drain.begin(Stage.DRAIN)
    return operator


def last_sessions_end(drain: Drain) -> None:
    """Nobody holds a session any more, and visitors still come."""
    drain.end_sessions()
    drain.sign_in("visitor")


def test_the_drain_is_watched_and_left_as_the_page_says(operator: Operator) -> None:
    for step in steps(PAGE):
        operator.play(step)


def test_every_command_on_the_page_is_rehearsed() -> None:
    assert left_out(PAGE) == set(IN_SENTENCES)
