"""The doctor at something that is no Auther, or a broken one: it says so and goes on."""

from __future__ import annotations

import json
import time
from contextlib import closing

import pytest

from migrator.auther.live.doctor.asking import Asker
from migrator.auther.live.doctor.interface import Account, Finding, Setting, State
from migrator.auther.live.doctor.registry import QUESTIONS, examine
from migrator.auther.live.doctor.visit import Visit
from migrator.core.clock import SystemClock
from tests.parts.serving import Answer, serving

JSON = {"Content-Type": "application/json"}


def visit(base_url: str, *, request_s: float = 5) -> dict[str, Finding]:
    setting = Setting(
        base_url=base_url,
        api=f"{base_url}/api/auth",
        client_id="shop",
        redirect_uri="http://localhost:4000/cb",
        issuers=(base_url,),
        audiences=("shop",),
        canary=Account("canary@example.com", "correct horse"),
        api_key="k" * 64,
        capabilities={"statistics": "s" * 40, "client": "c" * 40},
    )
    with closing(Asker(base_url, request_s=request_s)) as asker:
        return examine(Visit(setting, asker, SystemClock()), advance=lambda _what: None)


WRONG = [1, "text", None, True, [], {}, [[]], {"a": {}}, 1e308, -1]
NAMES = ("issuer", "keys", "id_token", "token", "user", "version", "envelopes", "url", "code")


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"<html>", b"[" * 60_000, b"null", b'{"keys":[7]}']
)
@pytest.mark.parametrize("status", [200, 302, 404, 500])
def test_no_answer_stops_it(status: int, body: bytes) -> None:
    with serving(
        lambda _path: (status, {"Set-Cookie": "a=\x22;;=", "Location": "::"}, body)
    ) as url:
        found = visit(url)

    assert set(found) == set(QUESTIONS)
    assert not any(one.blocks for one in found.values() if one.state is State.FOUND)
    assert found["id_token"].state is not State.FOUND
    assert found["no_linking"].state is not State.FOUND


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_fields_of_any_type_stop_nothing(value: object) -> None:
    body = json.dumps(dict.fromkeys(NAMES, value)).encode()
    headers = JSON | {"Set-Cookie": "session=x; Path=/", "set-auth-jwt": "e30.e30.e30"}
    with serving(lambda _path: (200, headers, body)) as url:
        found = visit(url)

    assert set(found) == set(QUESTIONS)
    assert found["id_token"].state is not State.FOUND


def test_nobody_there_is_an_answer_too() -> None:
    found = visit("http://127.0.0.1:1")

    assert {one.state for one in found.values()} == {State.UNKNOWN}
    assert "did not answer (ConnectError)" in found["discovery"].found


def test_secrets_do_not_travel_in_the_clear() -> None:
    found = visit("http://auther.invalid", request_s=0.2)

    assert found["client"].found == "no password is sent over plain http"
    assert found["id_token"].state is State.UNKNOWN


def test_an_auther_that_says_nothing_is_given_up_soon() -> None:
    asked: list[str] = []

    def silent(path: str) -> Answer:
        asked.append(path)
        time.sleep(0.4)
        return 200, JSON, b"{}"

    with serving(silent) as url:
        found = visit(url, request_s=0.1)

    assert found["limits"].found == "Auther has stopped answering"
    assert len(asked) <= 3


def test_an_answer_that_drips_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    with serving(lambda _path: (200, JSON, b"x" * 1000), delay_s=0.05) as url:
        found = visit(url, request_s=0.1)

    assert "does not come to its end" in found["discovery"].found
    assert time.monotonic() - began < 0.3 * 40


def test_a_page_for_everything_is_no_registration() -> None:
    page = b'<html><form><input type="email" name="email"></form>'
    with serving(lambda _path: (200, {"Content-Type": "text/html"}, page)) as url:
        assert visit(url)["sign_up"].state is not State.FOUND


def test_a_clock_that_is_off_makes_tokens_worthless() -> None:
    with serving(lambda _path: (200, {}, b"{}"), date="Mon, 01 Jan 2024 00:00:00 GMT") as url:
        found = visit(url)["clock"]

    assert (found.state, found.blocks) == (State.MISSING, True)
    assert "behind this machine's" in found.found
