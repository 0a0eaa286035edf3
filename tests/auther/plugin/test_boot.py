"""What the plugin tells the operator when Auther starts."""

import time
from pathlib import Path

from tests.auther.plugin.users import Users, bcrypt_envelope
from tests.parts import require
from tests.parts.better_auth import start

WITHIN_S = 5


def prepared(tmp_path: Path) -> Users:
    """A database with imported users of three peppers."""
    require("node")
    users = Users(tmp_path / "auther.db")
    with start(users.path, plugin=False):
        users.add(bcrypt_envelope("pass", "2019", "none"))
        users.add(bcrypt_envelope("pass", "2024-b"))
        users.add(bcrypt_envelope("pass", "spring"))
    return users


def test_missing_peppers_are_listed_before_anybody_signs_in(tmp_path: Path) -> None:
    users = prepared(tmp_path)
    peppers = {"2019": "the value of a pepper"}
    with start(users.path, peppers=peppers, env={"MIGRATOR_PEPPER_SPRING": ""}) as auther:
        deadline = time.monotonic() + WITHIN_S
        while "not set" not in auther.log() and time.monotonic() < deadline:
            auther.request("GET", "/api/auth/get-session")
            time.sleep(0.05)
        assert "not set: MIGRATOR_PEPPER_2024_B, MIGRATOR_PEPPER_SPRING\n" in auther.log()
        assert "the value of a pepper" not in auther.log()


def test_nothing_is_said_when_every_pepper_is_there(tmp_path: Path) -> None:
    users = prepared(tmp_path)
    with start(users.path, peppers={"2019": "a", "2024-b": "b", "spring": "c"}) as auther:
        assert auther.sign_in("nobody@example.com", "pass").status == 401
        assert "migrator" not in auther.log()
