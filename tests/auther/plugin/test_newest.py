"""The plugin in the newest better-auth: signing in, rehash, verification, sessions, types.

Import, events and the gate run there too, in the tests of their own.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.auther.plugin.door import ENVIRONMENT, Door, Rows, person
from tests.auther.plugin.native import native_matches
from tests.auther.plugin.users import Users, bcrypt_envelope
from tests.auther.plugin.visitor import Visitor
from tests.parts import require
from tests.parts.better_auth import BetterAuth, start
from tests.parts.better_auth.build import NEWEST, write_newest, write_plugin

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def auther_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("newest") / "auther.db"


@pytest.fixture(scope="module")
def auther(auther_file: Path) -> Iterator[BetterAuth]:
    """The newest better-auth with the plugin and all its secrets."""
    require("newest")
    with start(auther_file, env=ENVIRONMENT, peppers={"2024": "pepper"}, newest=True) as running:
        yield running


@pytest.fixture
def someone(door: Door) -> Rows:
    """A user of ours with the password `PASSWORD`."""
    row = person(password=bcrypt_envelope(PASSWORD + "pepper", "2024", "none"))
    assert door.upsert(row) == ["inserted"]
    return row


def stored(door: Door, row: Rows) -> str:
    (user,) = door.read(row["user"]["id"])
    return str(user["accounts"][0]["password"])


@pytest.mark.parametrize("by", ["email", "username"])
def test_an_imported_password_signs_in_and_becomes_native(
    auther: BetterAuth, door: Door, someone: Rows, by: str
) -> None:
    sign_in = auther.sign_in if by == "email" else auther.sign_in_username
    name = someone["user"][by]
    assert sign_in(name, "wrong horse").status == 401
    assert stored(door, someone).startswith("migrator:")
    assert sign_in(name, PASSWORD).user_id == someone["user"]["id"]
    assert native_matches(stored(door, someone), PASSWORD)
    assert sign_in(name, PASSWORD).status == 200
    assert sign_in(name, "wrong horse").status == 401


@pytest.mark.parametrize(
    ("columns", "code"),
    [({"banned": 1}, "BANNED_USER"), ({"email_verified": 0}, "EMAIL_NOT_VERIFIED")],
)
def test_who_may_not_sign_in_keeps_the_envelope(
    auther: BetterAuth, door: Door, columns: dict[str, int], code: str
) -> None:
    envelope = bcrypt_envelope(PASSWORD)
    row = person(password=envelope)
    row["user"].update(columns)
    assert door.upsert(row) == ["inserted"]
    answer = auther.sign_in(row["user"]["email"], PASSWORD)
    assert (answer.status, answer.code) == (403, code)
    assert stored(door, row) == envelope


@pytest.mark.parametrize("value", ["$2a$04$unknown", "migrator:v1:rot13:peppers=none:x", "md5"])
def test_an_unknown_value_is_a_wrong_password(
    auther: BetterAuth, users: Users, value: str
) -> None:
    assert auther.sign_in(users.add(value).email, PASSWORD).status == 401


def test_verifying_without_a_sign_in(door: Door, someone: Rows) -> None:
    for password, valid in ((PASSWORD, True), ("wrong horse", False)):
        body = {"id": someone["user"]["id"], "password": password}
        said = door.post("VERIFY", "verify", body)
        assert said == {"valid": valid, "scheme": "bcrypt", "reason": ""}
    assert door.get("STATISTICS", "statistics")["ours"] > 0


def test_logging_out(auther: BetterAuth, door: Door, someone: Rows) -> None:
    visitor = Visitor(auther, someone["user"]["email"], PASSWORD)
    assert visitor.get("get-session")["user"]["id"] == someone["user"]["id"]
    assert door.post("LOGOUT", "logout", {"id": someone["user"]["id"]}) == {"ended": 1}
    assert visitor.get("get-session") is None


def test_a_reset_ticket(auther: BetterAuth, door: Door, someone: Rows) -> None:
    token = door.post("RESET", "reset-ticket", {"id": someone["user"]["id"]})["token"]
    body = {"token": token, "newPassword": "battery staple"}
    assert auther.request("POST", "/api/auth/reset-password", json=body).status_code == 200
    assert auther.sign_in(someone["user"]["email"], "battery staple").status == 200


def test_the_plugin_fits_its_types() -> None:
    require("newest")
    write_plugin(write_newest())
    done = subprocess.run(
        ["node", "node_modules/typescript/bin/tsc", "--project", "."],
        cwd=NEWEST,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
