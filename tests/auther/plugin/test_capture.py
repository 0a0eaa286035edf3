"""Capture: a password that the application accepted, for imported users whose hash could not be carried."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.auther.plugin.door import ENVIRONMENT, SECRETS, Door, Rows, account, person
from tests.auther.plugin.users import Users, bcrypt_envelope, envelope
from tests.parts import require
from tests.parts.better_auth import BetterAuth, start

PASSWORD = "what they have always typed"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BetterAuth, Users]]:
    require("node")
    path = tmp_path_factory.mktemp("capture") / "auther.db"
    with start(path, env=ENVIRONMENT) as running:
        yield running, Users(path)


@pytest.fixture
def door(site: tuple[BetterAuth, Users]) -> Door:
    return Door(site[0])


def capture(door: Door, row: Rows, password: str = PASSWORD) -> str:
    answer = door.post("CAPTURE", "capture", {"id": row["user"]["id"], "password": password})
    return str(answer["outcome"])


def imported(door: Door, **columns: object) -> Rows:
    """Import somebody without a password: the migration's mark is all there is."""
    row = person(**columns)
    assert door.upsert(row) == ["inserted"]
    return row


def test_whoever_had_no_password_signs_in_with_it(
    site: tuple[BetterAuth, Users], door: Door
) -> None:
    auther, users = site
    row = imported(door)
    before = door.get("EVENTS", "events")["events"]
    assert capture(door, row) == "captured"
    signed_in = auther.sign_in(row["user"]["email"], PASSWORD)
    assert (signed_in.status, signed_in.user_id) == (200, row["user"]["id"])
    (made,) = users.rows("SELECT * FROM account WHERE user_id = ?", row["user"]["id"])
    expected = account(row["user"]["id"], "credential", row["user"]["id"])
    assert {name: made[name] for name in ("id", "account_id", "provider_id")} == {
        name: expected[name] for name in ("id", "account_id", "provider_id")
    }
    assert door.get("EVENTS", "events")["events"] == before
    assert PASSWORD not in auther.log()


def test_it_happens_once(site: tuple[BetterAuth, Users], door: Door) -> None:
    row = imported(door)
    assert capture(door, row) == "captured"
    assert capture(door, row, "another word") == "has_password"
    assert site[0].sign_in(row["user"]["email"], PASSWORD).status == 200


@pytest.mark.parametrize(
    "stored",
    ["", "$1$md5crypt$value", envelope("cut off").replace("bcrypt", "of_another_version")],
    ids=["empty", "no envelope", "unknown scheme"],
)
def test_a_value_that_nobody_can_verify_is_replaced(
    site: tuple[BetterAuth, Users], door: Door, stored: str
) -> None:
    row = person(password=stored)
    assert door.upsert(row) == ["inserted"]
    assert capture(door, row) == "captured"
    assert site[0].sign_in(row["user"]["email"], PASSWORD).status == 200


def test_an_account_whose_password_is_null_gets_it(
    site: tuple[BetterAuth, Users], door: Door
) -> None:
    row = person(password="")
    assert door.upsert(row) == ["inserted"]
    site[1].run("UPDATE account SET password = NULL WHERE user_id = ?", row["user"]["id"])
    assert capture(door, row) == "captured"
    assert capture(door, row, "another word") == "has_password"
    assert site[0].sign_in(row["user"]["email"], PASSWORD).status == 200


def test_a_password_that_signs_in_is_never_replaced(
    site: tuple[BetterAuth, Users], door: Door
) -> None:
    carried = person(password=bcrypt_envelope("carried over"))
    assert door.upsert(carried) == ["inserted"]
    assert capture(door, carried) == "has_password"
    assert site[0].sign_in(carried["user"]["email"], "carried over").status == 200


@pytest.mark.parametrize(
    ("columns", "password", "outcome"),
    [({"banned": 1}, PASSWORD, "banned"), ({}, "ü" * 36, "too_long")],
    ids=["banned", "72 bytes"],
)
def test_who_is_left_as_they_are(
    site: tuple[BetterAuth, Users],
    door: Door,
    columns: dict[str, object],
    password: str,
    outcome: str,
) -> None:
    row = imported(door, **columns)
    assert capture(door, row, password) == outcome
    assert site[1].rows("SELECT * FROM account WHERE user_id = ?", row["user"]["id"]) == []


def test_nobody_else_is_touched(site: tuple[BetterAuth, Users], door: Door) -> None:
    stranger = site[1].add(None, credential=False)
    boss = imported(door)
    site[1].run("UPDATE user SET role = 'admin' WHERE id = ?", boss["user"]["id"])
    for user_id in (stranger.id, boss["user"]["id"], "nobody"):
        body = {"id": user_id, "password": PASSWORD}
        answer = door.ask("CAPTURE", "POST", "capture", json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_ours")


def test_many_at_once_leave_one_password(site: tuple[BetterAuth, Users], door: Door) -> None:
    row = imported(door)
    words = [f"word number {number}" for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda word: capture(door, row, word), words))
    assert sorted(outcomes) == ["captured", *["has_password"] * 5]
    rows = site[1].rows("SELECT * FROM account WHERE user_id = ?", row["user"]["id"])
    assert len(rows) == 1
    winner = words[outcomes.index("captured")]
    assert site[0].sign_in(row["user"]["email"], winner).status == 200


@pytest.mark.parametrize("other", sorted(set(SECRETS) - {"CAPTURE"}))
def test_no_other_secret_opens_it(door: Door, other: str) -> None:
    body = {"id": "x", "password": "y"}
    answer = door.ask("CAPTURE", "POST", "capture", secret=SECRETS[other], json=body)
    assert answer.status_code == httpx.codes.UNAUTHORIZED


def test_without_its_secret_there_is_no_such_door(tmp_path: Path) -> None:
    require("node")
    without = {k: v for k, v in ENVIRONMENT.items() if k != "MIGRATOR_SECRET_CAPTURE"}
    with start(tmp_path / "auther.db", env=without) as auther:
        answer = Door(auther).ask("CAPTURE", "POST", "capture", json={"id": "x", "password": "y"})
    assert answer.status_code == httpx.codes.NOT_FOUND
