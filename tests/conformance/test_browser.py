"""The suite's browser keeps cookies as browsers do, and its words hold no secret."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from migrator.conformance.browser import Browser, Wire, attributes_of
from migrator.conformance.interface import CannotRunError, MismatchError
from migrator.conformance.signing_keys import SigningKey, id_token_claims
from tests.parts.postgres import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


class Echo(BaseHTTPRequestHandler):
    """Answers with the cookies that came, and sets those in the query."""

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", "/elsewhere?a=1")
        self.send_header("Set-Cookie", "one=1; Path=/; HttpOnly")
        self.send_header("Set-Cookie", "two=2; Max-Age=0")
        self.end_headers()
        self.wfile.write("|".join(self.headers.get_all("Cookie") or []).encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def wire() -> Iterator[Wire]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    Thread(target=server.serve_forever, daemon=True).start()
    yield Wire(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()


def test_it_follows_no_redirect_and_keeps_what_is_set(wire: Wire) -> None:
    browser = Browser(wire, {"two": "old"})
    answer = browser.get("/")

    assert (answer.status, answer.path, answer.query) == (302, "/elsewhere", {"a": "1"})
    assert browser.cookies == {"one": "1"}
    assert Browser(wire).get("/").text == "", "browsers share connections, not cookies"


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("a=b; Path=/", {"a": "b"}),
        ("a=; Max-Age=0", {}),
        ("a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT", {}),
        ("a=b; Expires=Fri, 01 Jan 2100 00:00:00 GMT", {"a": "b"}),
        ("a=b=c; HttpOnly", {"a": "b=c"}),
    ],
)
def test_a_cookie_that_is_over_goes(wire: Wire, line: str, kept: dict[str, str]) -> None:
    browser = Browser(wire, {"a": "before"})
    browser.keep([line])

    assert browser.cookies == kept


def test_two_cookies_of_one_name_can_be_sent(wire: Wire) -> None:
    browser = Browser(wire, {"a": "1"}, [("a", "2")])

    assert browser.get("/").text == "a=1; a=2"


def test_what_was_sent_is_told_without_tokens_passwords_and_cookies(wire: Wire) -> None:
    token = SigningKey().sign(id_token_claims("i", "a", "s"))
    browser = Browser(wire, {"session": "a-secret-value"})
    answer = browser.get(f"/?t={token}", ("Authorization", f"Bearer {token}"))
    form = browser.post("/", {"password": "hunter2"})

    assert token not in answer.sent
    assert "Bearer <token>" in answer.sent
    assert "a-secret-value" not in answer.sent + form.sent
    assert "hunter2" not in form.sent
    assert "fields password" in form.sent


def test_an_answer_that_does_not_fit_says_what_was_expected(wire: Wire) -> None:
    answer = Browser(wire).get("/")
    with pytest.raises(MismatchError) as raised:
        answer.must(answer.status == 200, "200")

    found = raised.value.failed
    assert (found.expected, found.sent) == ("200", "GET /")
    assert found.came_back == "302 to /elsewhere?a=1"


def test_no_answer_is_not_a_wrong_answer() -> None:
    with pytest.raises(CannotRunError, match=r"GET /x: no answer \(ConnectError\)"):
        Browser(Wire(f"http://127.0.0.1:{free_port()}")).get("/x")


def test_attributes_are_told_in_lower_case() -> None:
    assert attributes_of("a=b; Path=/; HttpOnly") == {"path=/", "httponly"}
