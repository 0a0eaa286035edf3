"""Verifying a password without a sign-in, and the statistics."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.auther.plugin.door import ENVIRONMENT, LONG_AGO_MS, Door, person
from tests.auther.plugin.native import native_key
from tests.auther.plugin.users import Users, bcrypt_envelope
from tests.parts import require
from tests.parts.better_auth import BetterAuth, start

PASSWORD = "correct horse"
SALT = "0123456789abcdef" * 2


def look(door: Door, user_id: str, password: str = PASSWORD) -> Any:
    return door.post("VERIFY", "verify", {"id": user_id, "password": password})


def verdict(door: Door, stored: str | None, password: str = PASSWORD, **columns: Any) -> Any:
    """What is said of a new user with this stored value."""
    row = person(password=stored, **columns)
    assert door.upsert(row) == ["inserted"]
    return look(door, row["user"]["id"], password)


STORED = bcrypt_envelope(PASSWORD)
UNKNOWN = {
    "migrator:v1:rot13:peppers=none:abc": "rot13",
    "migrator:v2:x": "",
    "d41d8cd98f00b204e9800998ecf8427e": "unknown",
}


@pytest.mark.parametrize(
    ("stored", "password", "expected"),
    [
        (STORED, PASSWORD, (True, "bcrypt", "")),
        (STORED, "wrong horse", (False, "bcrypt", "")),
        (f"{SALT}:{native_key(PASSWORD, SALT)}", PASSWORD, (True, "native", "")),
        (f"{SALT}:{native_key(PASSWORD, SALT)}", "wrong horse", (False, "native", "")),
        (bcrypt_envelope(PASSWORD, "lost"), PASSWORD, (False, "bcrypt", "pepper_missing")),
        (None, PASSWORD, (False, "", "no_credential")),
        *((stored, PASSWORD, (False, name, "unknown_scheme")) for stored, name in UNKNOWN.items()),
    ],
    # Envelopes hold a salt: their texts name another test in each process.
    ids=[f"value {number}" for number in range(6 + len(UNKNOWN))],
)
def test_what_is_said(
    door: Door, stored: str | None, password: str, expected: tuple[bool, str, str]
) -> None:
    valid, scheme, reason = expected
    assert verdict(door, stored, password) == {"valid": valid, "scheme": scheme, "reason": reason}


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"banned": 1}, "banned"),
        ({"email_verified": 0}, "unverified"),
        ({"banned": 1, "ban_expires": LONG_AGO_MS}, ""),
    ],
)
def test_a_right_password_that_would_not_sign_in(
    door: Door, columns: dict[str, Any], reason: str
) -> None:
    said = verdict(door, STORED, **columns)
    assert said == {"valid": not reason, "scheme": "bcrypt", "reason": reason}
    assert verdict(door, STORED, "wrong horse", **columns)["reason"] == ""


def test_strangers_all_get_the_same_answer(door: Door, users: Users) -> None:
    foreign = users.add(STORED)
    boss = person(password=STORED)
    door.upsert(boss)
    users.run("UPDATE user SET role = 'admin' WHERE id = ?", boss["user"]["id"])
    for name in (foreign.id, boss["user"]["id"], "nobody", ""):
        for password in (PASSWORD, "wrong horse"):
            assert look(door, name, password) == {
                "valid": False,
                "scheme": "",
                "reason": "not_ours",
            }


def test_it_leaves_no_trace(door: Door, users: Users) -> None:
    row = person(password=STORED)
    door.upsert(row)
    tables = ("user", "account", "session", "verification")
    before = [users.rows(f"SELECT * FROM {table}") for table in tables]
    assert look(door, row["user"]["id"])["valid"]
    assert not look(door, row["user"]["id"], "wrong horse")["valid"]
    assert [users.rows(f"SELECT * FROM {table}") for table in tables] == before


@pytest.mark.parametrize(
    "body", [{}, {"id": "x"}, {"id": 5, "password": "x"}, {"id": "x", "password": None}]
)
def test_a_request_that_makes_no_sense(door: Door, body: dict[str, Any]) -> None:
    assert door.ask("VERIFY", "POST", "verify", json=body).status_code == 400


def test_statistics(tmp_path: Path) -> None:
    require("node")
    with start(tmp_path / "auther.db", env=ENVIRONMENT) as auther:
        door, users = Door(auther), Users(tmp_path / "auther.db")
        said = door.get("STATISTICS", "statistics")
        process = said.pop("process")
        assert abs(process["started_at_s"] - time.time()) < 60
        assert len(process["id"]) == 16
        assert said == {
            "version": "1", "links_accounts_by_email": True, "social_providers": [], "users": 0, "ours": 0, "envelopes": {}, "native": 0, "unknown": 0,
            "sign_ins": {"passwords": {}, "rehashed": 0, "rehash_failed": 0, "exchanged": 0, "captured": 0},
            "events_unacknowledged": 0, "events_lost": 0,
        }  # fmt: skip
        cheap = door.get("STATISTICS", "statistics", counts="0")
        assert (cheap["process"], "users" in cheap, "sign_ins" in cheap) == (process, False, True)
        stored = [STORED, STORED, STORED, f"{SALT}:{native_key(PASSWORD, SALT)}", *UNKNOWN, None]
        people = [
            person(password=value, providers=["github"] if value else []) for value in stored
        ]
        door.upsert(*people)
        users.add(STORED)
        email = people[0]["user"]["email"]
        auther.sign_in(email, "wrong horse")
        auther.sign_in(email, PASSWORD)
        auther.sign_in(email, PASSWORD)
        _set_password(auther, email)
        said = door.get("STATISTICS", "statistics")
        assert (said["users"], said["ours"]) == (9, 8)
        assert (said["envelopes"], said["native"], said["unknown"]) == ({"bcrypt": 3}, 2, 3)
        assert said["sign_ins"]["passwords"]["bcrypt"] == {"right": 1, "wrong": 1}
        assert said["sign_ins"]["passwords"]["native"]["right"] >= 1
        assert said["sign_ins"]["rehashed"] == 1
        assert said["events_unacknowledged"] == 1
        (event,) = users.rows(
            "SELECT identifier FROM verification WHERE identifier LIKE 'migrator:event:%'"
        )
        door.post("EVENTS", "events/acknowledge", {"ids": [event["identifier"]]})
        assert door.get("STATISTICS", "statistics")["events_unacknowledged"] == 0


def _set_password(auther: BetterAuth, email: str) -> None:
    answer = auther.request(
        "POST", "/api/auth/sign-in/email", json={"email": email, "password": PASSWORD}
    )
    cookie = {"Cookie": f"better-auth.session_token={answer.cookies['better-auth.session_token']}"}
    body = {"currentPassword": PASSWORD, "newPassword": "battery staple"}
    assert (
        auther.request("POST", "/api/auth/change-password", json=body, headers=cookie).status_code
        == 200
    )
