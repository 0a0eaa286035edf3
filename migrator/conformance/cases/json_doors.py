"""Doors that answer JSON, for programs that cannot follow a redirect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.conformance.case import case
from migrator.conformance.cases.doors import MEND_MOVED, expect_nobody
from migrator.conformance.interface import DRAIN, CannotRunError, Need

if TYPE_CHECKING:
    from migrator.conformance.bench import Bench
    from migrator.conformance.browser import Answer, Browser

GROUP = "doors"
_MEND = "close issuing where a session gains a user, and answer a program in words"


def _send_json(
    bench: Bench, browser: Browser, name: str, *, password: str = "", token: str = ""
) -> Answer:
    door = bench.profile.json_login
    if door is None:
        raise CannotRunError(Need.JSON_LOGIN.value)
    person = bench.person(name)
    known = {"email": person.email, "password": password or person.password}
    headers = {}
    body: dict[str, Any] = {key: _filled(value, known) for key, value in door.body.items()}
    if door.csrf is not None:
        token = token or bench.csrf_token(browser, door.csrf.page or door.path, door.csrf)
        body |= {door.csrf.field: token} if door.csrf.field else {}
        headers = {door.csrf.header: token} if door.csrf.header else {}
    return browser.post(door.path, headers=headers, json=body)


def _filled(value: str | dict[str, str], known: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, known) for key, inner in value.items()}
    for name, text in known.items():
        value = value.replace(f"{{{name}}}", text)
    return value


def _token_of_json_door(bench: Bench) -> tuple[Browser, str]:
    browser, door = bench.browser(), bench.profile.json_login
    if door is None or door.csrf is None:
        return browser, ""
    return browser, bench.csrf_token(browser, door.csrf.page or door.path, door.csrf)


@case(
    GROUP,
    rule="doors that answer JSON are open in dual",
    mend=_MEND,
    needs=(Need.JSON_LOGIN,),
)
def json_in_dual(bench: Bench) -> None:
    browser = bench.browser()
    answer = _send_json(bench, browser, "alice")
    door = bench.profile.json_login
    answer.must(door is not None and answer.status in door.accepted, "the door takes alice")
    bench.expect_user(bench.who(browser), "alice")


@case(
    GROUP,
    rule="in drain a door that answers JSON says 403 login_moved, and is counted",
    mend="answer a caller who cannot follow a redirect in words; gates list such clients",
    at=DRAIN,
    needs=(Need.JSON_LOGIN, Need.JSON_DOORS_CLOSED),
    prepare=_token_of_json_door,
)
def json_in_drain(bench: Bench) -> None:
    browser, token = bench.prepared
    before = bench.metrics()
    answer = _send_json(bench, browser, "alice", token=token)
    grown = bench.metrics().grown_since(before, "auth_logins_refused_total")
    bench.expect_refused(answer, 403, "login_moved")
    answer.must(grown == 1, "auth_logins_refused_total grows by one")
    expect_nobody(bench, browser, answer, "alice")


@case(
    GROUP,
    rule="in dual a moved user's password at a JSON door is checked at the plugin",
    mend=MEND_MOVED,
    needs=(Need.JSON_LOGIN, Need.MOVED_LOGINS, Need.TEST_ISSUER),
    people=("moved",),
)
def json_of_a_moved_user(bench: Bench) -> None:
    asked = bench.issuer.plugin.from_now("verify")
    browser = bench.browser()
    answer = _send_json(bench, browser, "moved")
    door = bench.profile.json_login
    answer.must(door is not None and answer.status in door.accepted, "the door takes the password")
    bench.expect_user(bench.who(browser), "moved")
    verified = [one.get("id") for one in asked()]
    answer.must(bench.person("moved").auther_id in verified, "the plugin's verify was asked")


@case(
    GROUP,
    rule="in dual a moved user's old password, which Auther no longer takes, opens no JSON door",
    mend=MEND_MOVED,
    needs=(Need.JSON_LOGIN, Need.MOVED_LOGINS, Need.TEST_ISSUER),
    people=("moved",),
)
def json_of_a_moved_user_with_the_old_password(bench: Bench) -> None:
    plugin, moved = bench.issuer.plugin, bench.person("moved")
    plugin.passwords[moved.auther_id] = "another password by now"
    browser = bench.browser()
    try:
        answer = _send_json(bench, browser, "moved")
    finally:
        plugin.passwords[moved.auther_id] = moved.password
    expect_nobody(bench, browser, answer, "moved")


@case(
    GROUP,
    rule="with the plugin slow or down a moved user's JSON login is 503 after a second",
    mend="one second, then 503",
    needs=(Need.JSON_LOGIN, Need.MOVED_LOGINS, Need.TEST_ISSUER),
    people=("moved",),
)
def json_with_the_plugin_down(bench: Bench) -> None:
    browser = bench.browser()
    with bench.issuer.plugin.down():
        answer = _send_json(bench, browser, "moved")
    answer.must(answer.status == 503, "503")
    expect_nobody(bench, browser, answer, "moved")


CASES = (
    json_in_dual,
    json_in_drain,
    json_of_a_moved_user,
    json_of_a_moved_user_with_the_old_password,
    json_with_the_plugin_down,
)
