"""What somebody with bad intentions, or a broken program with the right secret, sends to the plugin."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.auther.plugin.door import ENVIRONMENT, SECRETS, Door, Rows, account, person
from tests.auther.plugin.users import Users, bcrypt_envelope
from tests.parts import require
from tests.parts.better_auth import BetterAuth, Client, start

APP = "https://app.example"
CLIENT = Client("app", (f"{APP}/callback", "myapp://callback"))
OLD, NEW = "correct horse", "battery staple"
DEEP = "[" * 100_000 + "]" * 100_000
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module", params=["node", "newest"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[BetterAuth, Users]]:
    require(request.param)
    path = tmp_path_factory.mktemp("attacks") / "auther.db"
    env = {**ENVIRONMENT, "PLUGIN_DATABASE": "1"}
    with start(path, env=env, clients=[CLIENT], newest=request.param == "newest") as running:
        yield running, Users(path)


@pytest.fixture
def auther(site: tuple[BetterAuth, Users]) -> BetterAuth:
    return site[0]


@pytest.fixture
def users(site: tuple[BetterAuth, Users]) -> Users:
    return site[1]


def marks(users: Users, user_id: str) -> int:
    query = "SELECT * FROM verification WHERE identifier = ?"
    return len(users.rows(query, f"migrator:user:{user_id}"))


@pytest.mark.parametrize("client_id", ["app", None])
def test_nobody_takes_the_mark_from_a_user(
    auther: BetterAuth, door: Door, users: Users, client_id: str | None
) -> None:
    """better-auth deletes the row that the code of a request names, before it looks at anything else."""
    one = person()
    assert door.upsert(one) == ["inserted"]
    name = str(one["user"]["id"])
    code = {"grant_type": "authorization_code", "code": f"migrator:user:{name}"}
    rest = {"redirect_uri": f"{APP}/callback", "code_verifier": "v" * 43}
    data = {**code, **rest, **({"client_id": client_id} if client_id else {})}
    answer = auther.request("POST", "/api/auth/oauth2/token", data=data)
    assert 400 <= answer.status_code < 500
    assert marks(users, name) == 1
    assert door.post("LOGOUT", "logout", {"id": name}) == {"ended": 0}


def test_a_mark_that_others_wrote_is_none(door: Door, users: Users) -> None:
    """Plugins that keep a text of the visitor's as `identifier` can't choose the row's id."""
    foreign = users.add(bcrypt_envelope(OLD))
    mark = f"migrator:user:{foreign.id}"
    users.run("INSERT INTO verification VALUES ('made-elsewhere', ?, '', 9e14, 1, 1)", mark)
    assert door.ask("RESET", "POST", "reset-ticket", json={"id": foreign.id}).status_code == 404


@pytest.mark.parametrize("to", ["otherapp://steal", "javascript:alert(1)", "data:text/html,x"])
def test_a_client_that_is_a_mobile_application_opens_no_other_scheme(
    auther: BetterAuth, to: str
) -> None:
    page = {"client_id": "app", "to": to}
    answer = auther.request("GET", "/api/auth/migrator/exchange/start", params=page)
    assert answer.status_code == 400
    assert "location" not in answer.headers


def test_the_old_password_never_comes_beside_a_new_one(
    auther: BetterAuth, door: Door, users: Users
) -> None:
    one = person()
    assert door.upsert(one) == ["inserted"]
    name = str(one["user"]["id"])
    token = door.post("RESET", "reset-ticket", {"id": name})["token"]
    body = {"token": token, "newPassword": NEW}
    assert auther.request("POST", "/api/auth/reset-password", json=body).status_code == 200
    (before,) = door.read(name)
    legacy = account(name, "credential", name, password=bcrypt_envelope(OLD))
    assert door.upsert({**one, "accounts": [legacy]}) == ["there"]
    two = {"before": before, "user": before["user"], "accounts": [*before["accounts"], legacy]}
    assert door.change(two) == ["refused"]
    assert door.read(name) == [before]
    assert auther.sign_in(one["user"]["email"], OLD).status == 401
    assert auther.sign_in(one["user"]["email"], NEW).status == 200


def test_a_user_has_one_password(door: Door) -> None:
    one = person(password="a")
    name = str(one["user"]["id"])
    other = account(name, "credential", "another subject", password="b")
    assert door.upsert({**one, "accounts": [*one["accounts"], other]}) == ["refused"]
    assert door.upsert(one, {**one, "accounts": [other]}) == ["inserted", "there"]
    assert door.read(name)[0]["accounts"] == one["accounts"]


def bodies() -> Iterator[tuple[str, str, str]]:
    """Requests with the right secret that are wrong inside."""
    digest = json.dumps("A" * 43)
    ticket = '{"id":"x","client_id":"app","nonce_hash":N,"code_challenge":C}'
    yield "IMPORT", "users/find", '{"subjects":[[DEEP,"x"]]}'
    yield "IMPORT", "users/find", '{"subjects":[["github"]]}'
    yield "IMPORT", "users/find", '{"ids":DEEP}'
    yield "IMPORT", "users/upsert", '{"users":[{"user":DEEP}]}'
    yield "IMPORT", "users/remove", '{"ids":[NaN]}'
    yield "EXCHANGE", "exchange/ticket", ticket.replace("N", "DEEP").replace("C", digest)
    yield "EXCHANGE", "exchange/ticket", ticket.replace("N", f"[{digest}]").replace("C", digest)
    yield "EXCHANGE", "exchange/ticket", ticket.replace("N", digest).replace("C", f"[{digest}]")
    yield "VERIFY", "verify", '{"id":{"$ne":""},"password":"x"}'
    yield "EVENTS", "events/acknowledge", '{"ids":DEEP}'


@pytest.mark.parametrize(("capability", "path", "body"), [*bodies()], ids=range(10))
def test_a_broken_request_is_400(door: Door, capability: str, path: str, body: str) -> None:
    answer = door.ask(
        capability, "POST", path, content=body.replace("DEEP", DEEP).encode(), headers=JSON
    )
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "column",
    [
        '"created_at":1e999', '"updated_at":9007199254740993', '"created_at":8640000000000001',
        '"updated_at":-8640000000000001', '"updated_at":-9007199254740991', '"constructor":1',
        '"__proto__":{"role":"admin"}', '"toString":null', '"role":["user"]', '"role":"admin","role":{}',
    ],
)  # fmt: skip
def test_a_broken_column_is_400_and_writes_nothing(door: Door, users: Users, column: str) -> None:
    one, two = person(password="a"), person(password="a")
    row = json.dumps(two["user"])[:-1] + f",{column}}}"
    body = f'{{"users":[{json.dumps(one)},{{"user":{row}}}]}}'
    answer = door.ask("IMPORT", "POST", "users/upsert", content=body.encode(), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert door.read(str(one["user"]["id"]), str(two["user"]["id"])) == []


def test_a_time_before_1970_is_no_way_past_the_comparison(door: Door) -> None:
    """A change takes hold of its user by a time, which no row may have of its own."""
    one = person(password="a", updated_at=-1)
    assert door.upsert(one) == ["inserted"]
    stale: Rows = {**one, "user": {**one["user"], "name": "Somebody Else"}}
    gone: Rows = {"before": stale, "user": None, "accounts": []}
    assert door.change(gone) == ["conflict"]
    assert door.read(str(one["user"]["id"]))[0]["user"] == one["user"]


def test_a_cursor_of_something_else_is_no_beginning(door: Door) -> None:
    for after in ("zzz", "migrator:user:", "\0"):
        assert door.ask("EVENTS", "GET", "events", params={"after": after}).status_code == 400


def test_a_damaged_envelope_is_no_failed_database(door: Door) -> None:
    recipe = "peppers=none&algorithm=constructor&template=%7Bpassword%7D"
    one = person(password=f"migrator:v1:template:{recipe}:abc")
    assert door.upsert(one) == ["inserted"]
    said = door.post("VERIFY", "verify", {"id": one["user"]["id"], "password": OLD})
    assert said == {"valid": False, "scheme": "template", "reason": "unknown_scheme"}


def test_guessing_through_verify_is_bounded(door: Door) -> None:
    one, other = (person(password=bcrypt_envelope(OLD)) for _ in range(2))
    assert door.upsert(one, other) == ["inserted"] * 2

    def statuses(name: Any, password: str, times: int) -> list[int]:
        body = {"id": name, "password": password}
        return [door.ask("VERIFY", "POST", "verify", json=body).status_code for _ in range(times)]

    assert statuses(one["user"]["id"], OLD, 35) == [200] * 35
    assert statuses(one["user"]["id"], "wrong", 31) == [200] * 30 + [429]
    assert statuses(one["user"]["id"], OLD, 1) == [429]
    assert statuses(other["user"]["id"], OLD, 1) == [200]
    body = {"id": one["user"]["id"], "password": OLD}
    answer = door.ask("VERIFY", "POST", "verify", json=body)
    assert answer.json()["code"] == "too_many_wrong"
    assert 0 < int(answer.headers["retry-after"]) <= 60


def test_secrets_that_nobody_could_send_or_that_serve_twice_are_not_used(tmp_path: Path) -> None:
    require("node")
    env = {
        **ENVIRONMENT,
        "MIGRATOR_SECRET_VERIFY": "with blanks " * 4,
        "MIGRATOR_SECRET_LOGOUT": "é" * 32,
        "MIGRATOR_SECRET_RESET": SECRETS["IMPORT"],
        "MIGRATOR_SECRET_EVENTS_NEXT": SECRETS["IMPORT"],
        "MIGRATOR_SECRET_IMPORT_NEXT": "",
    }
    with start(tmp_path / "auther.db", env=env) as auther:
        door = Door(auther)
        assert door.ask("IMPORT", "POST", "users/count", json={}).status_code == 200
        log = auther.log()
        for name in ("VERIFY", "LOGOUT"):
            assert f"MIGRATOR_SECRET_{name} holds a blank or a letter outside ASCII" in log
        for name in ("RESET", "EVENTS_NEXT"):
            assert f"MIGRATOR_SECRET_{name} is the secret of IMPORT already" in log
        assert door.ask("EVENTS", "GET", "events").status_code == 200
        assert door.ask("IMPORT", "GET", "events").status_code == 401
        assert door.ask("IMPORT", "POST", "reset-ticket", json={"id": "x"}).status_code == 404
        assert not any(secret in log for secret in env.values() if len(secret) >= 32)


def test_clients_are_where_better_auth_has_them(auther: BetterAuth, door: Door) -> None:
    """The newest one has no OIDC provider of its own: a row would be nobody's."""
    discovery = auther.request("GET", "/api/auth/.well-known/openid-configuration")
    answer = door.ask("CLIENT", "POST", "client/read", json={"client_id": "shop"})
    if discovery.status_code == 200:
        assert (answer.status_code, answer.json()) == (200, {"client": None})
    else:
        assert (answer.status_code, answer.json()["code"]) == (501, "no_clients")


def test_a_body_that_ends_midway_ends_nothing_else(auther: BetterAuth, door: Door) -> None:
    """As when the migrator is killed while it sends."""
    address = urlsplit(auther.base_url)
    head = (
        "POST /api/auth/migrator/users/upsert HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: 1000\r\nAuthorization: Bearer {SECRETS['IMPORT']}\r\n\r\n"
    )
    for _ in range(3):
        with socket.create_connection((str(address.hostname), int(address.port or 0))) as killed:
            killed.sendall(f'{head}{{"users":['.encode())
            time.sleep(0.1)
    time.sleep(0.2)
    assert door.post("IMPORT", "users/count", {})["users"] >= 0


def test_a_wrong_secret_shows_in_the_log_once_a_minute(auther: BetterAuth, door: Door) -> None:
    for _ in range(5):
        assert door.ask("LOGOUT", "POST", "logout", secret="telling" * 9).status_code == 401
    assert auther.log().count("without the secret of LOGOUT") == 1
    assert "telling" not in auther.log()


def test_what_a_request_leaves_out_is_compared_as_null(door: Door) -> None:
    one = person(password="a", banned=1, ban_reason="locked")
    assert door.upsert(one) == ["inserted"]
    (row,) = door.read(str(one["user"]["id"]))
    short = {name: value for name, value in row["user"].items() if name != "ban_reason"}
    bare = [{**row["accounts"][0], "password": None}]
    for before in ({**row, "user": short}, {**row, "accounts": bare}, {**row, "accounts": []}):
        assert door.change({"before": before, "user": None, "accounts": []}) == ["conflict"]
    assert door.read(str(one["user"]["id"])) == [row]


def test_who_is_an_administrator_by_configuration_is_nobodys_business(tmp_path: Path) -> None:
    require("node")
    boss = person(password=bcrypt_envelope(OLD))
    name = str(boss["user"]["id"])
    path = tmp_path / "auther.db"
    with start(path, env=ENVIRONMENT) as auther:
        assert Door(auther).upsert(boss) == ["inserted"]
    with start(path, env=ENVIRONMENT, behaviour={"admins": [name]}) as auther:
        door = Door(auther)
        assert door.ask("RESET", "POST", "reset-ticket", json={"id": name}).status_code == 404
        said = door.post("VERIFY", "verify", {"id": name, "password": OLD})
        assert said["reason"] == "not_ours"
        assert door.post("IMPORT", "users/remove", {"ids": [name]}) == {"removed": 0}


def test_sealed_passwords_go_after_a_day_though_nothing_is_sealed_any_more(tmp_path: Path) -> None:
    """Nor read: the write-back was taken out of the environment."""
    require("node")
    path = tmp_path / "auther.db"
    start(path).stop()
    users = Users(path)
    rows = {f"migrator:event:{at:015}:0001x": at for at in (1_700_000_000_000, 9_000_000_000_000)}
    for identifier, at in rows.items():
        value = {"type": "password", "user_id": "x", "at_ms": at, "sealed": "v1.a.b"}
        users.run(
            "INSERT INTO verification VALUES (?, ?, ?, 9e14, 1, 1)",
            *(identifier, identifier, json.dumps(value)),
        )
    query = "SELECT value FROM verification ORDER BY identifier"
    old, young = Rows(), Rows()
    with start(path):
        deadline_s = time.monotonic() + 30
        while "sealed_expired" not in old and time.monotonic() < deadline_s:
            time.sleep(0.1)
            old, young = (json.loads(str(row["value"])) for row in users.rows(query))
    assert ("sealed" in old, old["sealed_expired"], young["sealed"]) == (False, True, "v1.a.b")
