"""Who may call the plugin's endpoints."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.auther.plugin.door import CAPABILITIES, ENVIRONMENT, SECRETS, Door, person
from tests.auther.plugin.users import Users
from tests.parts import require
from tests.parts.better_auth import BetterAuth, start

PATHS = {
    "IMPORT": ("POST", "users/upsert"),
    "VERIFY": ("POST", "verify"),
    "STATISTICS": ("GET", "statistics"),
    "EVENTS": ("GET", "events"),
    "EXCHANGE": ("POST", "exchange/ticket"),
    "LOGOUT": ("POST", "logout"),
    "RESET": ("POST", "reset-ticket"),
    "CAPTURE": ("POST", "capture"),
    "CLIENT": ("POST", "client/read"),
}
NEXT = "the next secret for imports, also of 32 bytes".replace(" ", "-")
JSON = {"Content-Type": "application/json"}
COUNT = ("IMPORT", "POST", "users/count")


@pytest.fixture(scope="module", params=["node", pytest.param("newest", marks=pytest.mark.long)])
def auther(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BetterAuth]:
    """A server with all secrets, two of them for imports."""
    require(request.param)
    newest = request.param == "newest"
    path = tmp_path_factory.mktemp("gate") / "auther.db"
    env = {**ENVIRONMENT, "MIGRATOR_SECRET_IMPORT_NEXT": NEXT}
    with start(path, env=env, rate_limit=True, newest=newest) as running:
        yield running


@pytest.fixture
def door(auther: BetterAuth) -> Door:
    return Door(auther)


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_each_capability_has_its_own_secret(
    auther: BetterAuth, door: Door, capability: str
) -> None:
    method, path = PATHS[capability]
    for other in {*CAPABILITIES} - {capability}:
        assert door.ask(other, method, path, json={}).status_code == 401
    for wrong in ("x", SECRETS[capability][:-1], SECRETS[capability] + "x"):
        assert door.ask(capability, method, path, secret=wrong).status_code == 401
    assert auther.request(method, f"/api/auth/migrator/{path}").status_code == 401
    assert door.ask(capability, method, path, json={}).status_code in {200, 400, 403, 404}


def test_two_secrets_are_live_at_once(door: Door) -> None:
    assert door.ask(*COUNT, json={}).status_code == 200
    assert door.ask(*COUNT, json={}, secret=NEXT).status_code == 200


def test_without_secrets_there_is_nothing(tmp_path: Path) -> None:
    require("node")
    short = {"MIGRATOR_SECRET_IMPORT": "s" * 31, "MIGRATOR_SECRET_EVENTS": ""}
    with start(tmp_path / "auther.db", env=short) as auther:
        unknown = auther.request("POST", "/api/auth/migrator/unknown", json={})
        assert unknown.status_code == 404
        for method, path in PATHS.values():
            answer = Door(auther).ask("IMPORT", method, path, secret="s" * 31, json={})
            assert (answer.status_code, answer.content) == (404, unknown.content)
        assert (
            auther.log().count("MIGRATOR_SECRET_IMPORT has less than 32 bytes and is not used")
            == 1
        )


def test_without_a_mark_nobody_is_ours_and_without_an_id_no_client(tmp_path: Path) -> None:
    require("node")
    env = {**ENVIRONMENT, "MIGRATOR_MARK": "", "MIGRATOR_CLIENT_ID": ""}
    with start(tmp_path / "auther.db", env=env) as auther:
        users = Users(tmp_path / "auther.db")
        users.run("INSERT INTO verification VALUES ('a', 'migrator:user:user9', '', 9e12, 1, 1)")
        users.run(
            "INSERT INTO user (id, name, email, created_at, updated_at) VALUES ('user9', 'n', 'e@x.org', 1, 1)"
        )
        door = Door(auther)
        assert door.upsert(person(password="a")) == ["refused"]
        assert door.post("IMPORT", "users/remove", {"ids": ["user9"]}) == {"removed": 0}
        # It is said when the plugin begins, which is at the first request at the latest.
        assert "MIGRATOR_MARK is not set" in auther.log()
        assert "MIGRATOR_CLIENT_ID is not set" in auther.log()
        for client_id in ("", None, "shop"):
            answer = door.ask("CLIENT", "POST", "client/read", json={"client_id": client_id})
            assert (answer.status_code, answer.json()["code"]) == (403, "another_client")


@pytest.mark.parametrize("path", ["read", "write", "consents/add", "consents/remove"])
def test_clients_need_the_option_database(auther: BetterAuth, door: Door, path: str) -> None:
    body = {"client_id": "shop", "before": None, "name": "n", "redirect_ur_ls": "r", "users": []}
    answer = door.ask("CLIENT", "POST", f"client/{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (501, "no_clients")
    assert "without the option `database` no client is written" in auther.log()


def test_another_method_is_unknown(door: Door) -> None:
    assert door.ask("IMPORT", "GET", "users/count").status_code in {404, 405}
    assert door.ask("IMPORT", "POST", "users/ids", json={}).status_code in {404, 405}


@pytest.mark.parametrize(
    "path", ["users//count", "users/count/", "./users/count", "users%2Fcount", "Users/count"]
)
def test_another_form_of_a_path_is_no_way_round(auther: BetterAuth, path: str) -> None:
    answer = auther.request("POST", f"/api/auth/migrator/{path}", json={})
    assert answer.status_code in {401, 404}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Cookie": "better-auth.session_token=forged", "Origin": "https://elsewhere.example"},
        {"Cookie": "better-auth.session_token=forged", "Origin": "null"},
        {"Content-Type": "text/plain"},
    ],
)
def test_cookies_and_origins_do_not_matter(door: Door, headers: dict[str, str]) -> None:
    assert door.ask(*COUNT, content=b"{}", headers={**JSON, **headers}).status_code == 200


def test_there_is_no_limit_by_address(door: Door) -> None:
    assert {door.ask(*COUNT, json={}).status_code for _ in range(120)} == {200}


def in_pieces(size: int) -> Iterator[bytes]:
    for _ in range(size // 65536):
        yield b" " * 65536


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_has_an_end(auther: BetterAuth, chunked: bool) -> None:
    """More than 8 MB, with and without a Content-Length."""
    size = 9 * 1024 * 1024
    body: Any = in_pieces(size) if chunked else b" " * size
    headers = {**JSON, "Authorization": f"Bearer {SECRETS['IMPORT']}"}
    url = f"{auther.base_url}/api/auth/migrator/users/upsert"
    try:
        answer = httpx.post(url, content=body, headers=headers)
    except httpx.TransportError:
        return  # The server hung up before everything was sent.
    assert (answer.status_code, answer.json()) == (413, {"code": "too_large"})


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b"\xff"])
def test_a_body_that_is_no_object(door: Door, body: bytes) -> None:
    answer = door.ask("IMPORT", "POST", "users/upsert", content=body, headers=JSON)
    assert (answer.status_code, answer.json()) == (400, {"code": "not_json"})


def wrong_requests() -> list[dict[str, Any]]:
    good = person(password="a")
    user, row = good["user"], good["accounts"][0]
    people: list[Any] = [
        None, {}, {"user": {}}, {"user": {**user, "extra": 1}}, {"user": {**user, "id": ""}},
        {"user": {**user, "id": 5}}, {"user": {**user, "email": None}}, {"user": {**user, "created_at": "1"}},
        {"user": {**user, "created_at": 1.5}}, {"user": {**user, "email_verified": 2}},
        {"user": user, "accounts": {}}, {"user": user, "accounts": [{**row, "created_at": None}]},
    ]  # fmt: skip
    return [{}, {"users": None}, {"users": [good] * 1001}, *({"users": [one]} for one in people)]


@pytest.mark.parametrize("body", wrong_requests())
def test_a_request_that_makes_no_sense(door: Door, body: dict[str, Any]) -> None:
    answer = door.ask("IMPORT", "POST", "users/upsert", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert "person" not in answer.text


def test_neither_secrets_nor_addresses_are_logged(auther: BetterAuth, door: Door) -> None:
    one = person(password="a telling hash", providers=["github"])
    assert door.upsert(one) == ["inserted"]
    door.ask("IMPORT", "POST", "users/upsert", secret="a telling but wrong secret")
    door.ask(
        "IMPORT",
        "POST",
        "users/upsert",
        json={"users": [{**one, "user": {**one["user"], "name": 5}}]},
    )
    for told in (one["user"]["email"], "telling", *SECRETS.values(), ENVIRONMENT["MIGRATOR_MARK"]):
        assert told not in auther.log()
