"""better-auth's own passwords work as before, with and without the plugin, over the same database file."""

import re
from pathlib import Path

import pytest

from migrator.core.envelope import PREFIX
from tests.auther.plugin.native import native_key, native_matches
from tests.auther.plugin.users import Users, bcrypt_envelope
from tests.parts import require
from tests.parts.better_auth import BetterAuth, start

# ﬁ and ① fold under NFKC, a combining accent composes, and the native format is not cut at 72 bytes.
PASSWORDS = ["correct horse", "ﬁne ① Cre\u0300me", "ж" * 60, "emoji 🔑 key"]


def sign_up(auther: BetterAuth, users: Users, email: str, password: str) -> None:
    """Register over HTTP and confirm the address."""
    body = {"email": email, "password": password, "name": "A Name"}
    answer = auther.request("POST", "/api/auth/sign-up/email", json=body)
    assert answer.status_code == 200, answer.text
    users.run("UPDATE user SET email_verified = 1 WHERE email = ?", email)


def stored_by_email(users: Users, email: str) -> str:
    """Give `account.password` of the user with this address."""
    query = "SELECT password FROM account JOIN user ON user.id = user_id WHERE email = ?"
    return str(users.rows(query, email)[0]["password"])


@pytest.mark.parametrize("made_by_plugin", [True, False])
def test_stock_and_plugin_read_each_others_values(tmp_path: Path, made_by_plugin: bool) -> None:
    require("node")
    users = Users(tmp_path / "auther.db")
    emails = {f"user{number}@example.com": password for number, password in enumerate(PASSWORDS)}
    with start(users.path, plugin=made_by_plugin) as maker:
        for email, password in emails.items():
            sign_up(maker, users, email, password)
    with start(users.path, plugin=not made_by_plugin) as reader:
        for email, password in emails.items():
            before = stored_by_email(users, email)
            assert native_matches(before, password)
            assert reader.sign_in(email, password).status == 200
            assert reader.sign_in(email, password + "x").status == 401
            assert stored_by_email(users, email) == before


def test_a_value_made_elsewhere_signs_in(auther: BetterAuth, users: Users) -> None:
    salt = "0123456789abcdef" * 2
    user = users.add(f"{salt}:{native_key('naïve password', salt)}")
    assert auther.sign_in(user.email, "nai\u0308ve password").status == 200
    assert auther.sign_in(user.email, "naive password").status == 401


def test_a_rehashed_value_signs_in_without_the_plugin(tmp_path: Path) -> None:
    require("node")
    users = Users(tmp_path / "auther.db")
    with start(users.path) as auther:
        user = users.add(bcrypt_envelope("correct horse"))
        assert auther.sign_in(user.email, "correct horse").status == 200
    with start(users.path, plugin=False) as stock:
        assert stock.sign_in(user.email, "correct horse").status == 200
        assert stock.sign_in(user.email, "wrong horse").status == 401


def test_without_the_plugin_an_imported_user_gets_a_server_error(tmp_path: Path) -> None:
    """Why the plugin is needed before the first imported user signs in."""
    require("node")
    users = Users(tmp_path / "auther.db")
    with start(users.path, plugin=False) as stock:
        user = users.add(bcrypt_envelope("correct horse"))
        assert stock.sign_in(user.email, "correct horse").status == 500


def test_functions_that_auther_configures_itself_stay_in_use(tmp_path: Path) -> None:
    """They throw on a value that they do not know; that still is a wrong password, not an error."""
    require("node")
    users = Users(tmp_path / "auther.db")
    with start(users.path, env={"OWN_PASSWORD": "1"}) as auther:
        user = users.add(bcrypt_envelope("correct horse"))
        assert auther.sign_in(user.email, "correct horse").status == 200
        assert auther.sign_in(user.email, "correct horse").status == 200
        assert native_matches(users.stored(user), "correct horse")
        assert auther.sign_in(users.add("$2a$04$unknown").email, "correct horse").status == 401
        assert "can't verify a stored value (BetterAuthError): 2a, 14 characters" in auther.log()


def test_changing_an_imported_password(auther: BetterAuth, users: Users) -> None:
    user = users.add(bcrypt_envelope("p" * 80))
    token = auther.request(
        "POST", "/api/auth/sign-in/email", json={"email": user.email, "password": "p" * 80}
    ).cookies["better-auth.session_token"]
    body = {"currentPassword": "p" * 80, "newPassword": "a new password"}
    cookie = {"Cookie": f"better-auth.session_token={token}"}
    answer = auther.request("POST", "/api/auth/change-password", json=body, headers=cookie)
    assert answer.status_code == 200, answer.text
    assert native_matches(users.stored(user), "a new password")
    assert auther.sign_in(user.email, "a new password").status == 200
    assert auther.sign_in(user.email, "p" * 80).status == 401


def test_two_new_values_have_two_salts(auther: BetterAuth, users: Users) -> None:
    same = [users.add(bcrypt_envelope("password1")) for _ in range(2)]
    for user in same:
        assert auther.sign_in(user.email, "password1").status == 200
    first, second = (users.stored(user) for user in same)
    assert first.split(":")[0] != second.split(":")[0]
    assert all(re.fullmatch(r"[0-9a-f]{32}:[0-9a-f]{128}", value) for value in (first, second))
    assert not first.startswith(PREFIX)


def cpu_ticks(pid: int) -> dict[int, int]:
    """Give the processor time that each thread has used."""
    stats = {int(task.name): (task / "stat") for task in Path(f"/proc/{pid}/task").iterdir()}
    fields = {tid: stat.read_text().rpartition(")")[2].split() for tid, stat in stats.items()}
    return {tid: int(of[11]) + int(of[12]) for tid, of in fields.items()}


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc to see threads")
def test_scrypt_keeps_the_main_thread_free(auther: BetterAuth, users: Users) -> None:
    """By processor time, which is the same on a busy machine."""
    salt = "0123456789abcdef" * 2
    user = users.add(f"{salt}:{native_key('correct horse', salt)}")
    assert auther.sign_in(user.email, "correct horse").status == 200
    before = cpu_ticks(auther.pid)
    for _ in range(3):
        assert auther.sign_in(user.email, "correct horse").status == 200
    used = {tid: ticks - before.get(tid, 0) for tid, ticks in cpu_ticks(auther.pid).items()}
    assert used[auther.pid] < sum(used.values()) / 2
