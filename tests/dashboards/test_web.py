"""The server over real HTTP: who may look, what is sent, and what a slow reader costs the others."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from migrator.dashboards.web.app import MAX_STREAMS
from tests.dashboards.overviews import ACCUMULATING, FAILED, PASSED
from tests.dashboards.site import Site, running_site

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.xdist_group("dashboard")
TOKEN = "a-token-of-the-tests-é"
PATIENCE_S = 30


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_site(ACCUMULATING) as running:
        yield running


@pytest.fixture(scope="module")
def guarded() -> Iterator[Site]:
    with running_site(ACCUMULATING, token=TOKEN) as running:
        yield running


@contextmanager
def events(site: Site, after: str = "", **headers: str) -> Iterator[Iterator[dict[str, str]]]:
    """Read a stream as a browser does."""

    def parsed(lines: Iterator[str]) -> Iterator[dict[str, str]]:
        found: dict[str, str] = {}
        for line in lines:
            if line:
                name, _, said = line.partition(": ")
                found[name] = said
            else:
                yield found
                found = {}

    url = f"{site.address}/events"
    with httpx.stream(
        "GET", url, params={"after": after}, headers=headers, timeout=PATIENCE_S
    ) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield parsed(answer.iter_lines())


def named(stream: Iterator[dict[str, str]], event: str) -> dict[str, str]:
    return next(found for found in stream if found.get("event") == event)


def parts(found: dict[str, str]) -> dict[str, Any]:
    return dict(json.loads(found["data"]))


def test_every_answer_carries_the_headers_of_a_page_that_trusts_nobody(site: Site) -> None:
    for path in ("/", "/page.css", "/page.js", "/icon.svg", "/nothing"):
        answer = httpx.get(site.address + path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers
        assert "server" not in answer.headers or answer.headers["server"] == "uvicorn"
    assert httpx.get(f"{site.address}/nothing").status_code == 404


def test_nothing_can_be_changed(site: Site) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert httpx.request(method, f"{site.address}/").status_code == 405


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example", ""]
)
def test_another_name_for_this_machine_is_refused(site: Site, host: str) -> None:
    assert httpx.get(site.address, headers={"Host": host}).status_code in {400, 421}


def test_other_sites_may_link_here_and_read_nothing(site: Site) -> None:
    other = {"Sec-Fetch-Site": "cross-site"}
    assert (
        httpx.get(site.address, headers=other | {"Sec-Fetch-Mode": "navigate"}).status_code == 200
    )
    answer = httpx.get(f"{site.address}/events", headers=other | {"Sec-Fetch-Mode": "cors"})
    assert answer.status_code == 403


def test_without_the_token_nobody_sees_anything(guarded: Site) -> None:
    wrong = base64.b64encode(f"me:{TOKEN}x".encode()).decode()
    for authorization in (
        "",
        "Bearer",
        f"Bearer {TOKEN}x",
        f"Basic {wrong}",
        "Basic ?",
        f"Digest {TOKEN}",
        TOKEN,
    ):
        for path in ("/", "/events"):
            given = {"Authorization": authorization.encode()} if authorization else {}
            answer = httpx.get(guarded.address + path, headers=given)
            assert (answer.status_code, "shop" in answer.text) == (401, False)
            assert answer.headers["www-authenticate"].startswith("Basic realm=")


def test_the_token_is_a_bearer_or_a_browsers_password(guarded: Site) -> None:
    basic = base64.b64encode(f"anybody:{TOKEN}".encode()).decode()
    assert (
        httpx.get(guarded.address, headers={"Authorization": f"Basic {basic}"}).status_code == 200
    )
    with running_site(ACCUMULATING, token="plain-token-of-the-tests") as plain:
        given = {"Authorization": "bearer plain-token-of-the-tests"}
        assert httpx.get(plain.address, headers=given).status_code == 200


def test_a_stream_begins_where_the_reader_left_off(site: Site) -> None:
    site.show(ACCUMULATING)
    mark = site.board.mark
    with events(site, after=mark) as stream:
        assert "beat" in next(stream)["event"]
        site.show(FAILED)
        found = named(stream, "parts")
    assert set(parts(found)) == {"said", "next", "gates"}
    site.show(PASSED)
    headers = {"Last-Event-ID": found["id"]}
    with events(site, after=mark, **headers) as stream:
        assert "PASSED" in parts(named(stream, "parts"))["next"]
    with events(site, after="of-another-server") as stream:
        assert len(parts(named(stream, "parts"))) > 10


def test_a_quiet_stream_beats_with_the_servers_time(site: Site) -> None:
    with events(site, after=site.board.mark) as stream:
        beats = [named(stream, "beat") for _ in range(3)]
    assert all(beat[""] == "beat" for beat in beats)
    assert sorted({beat["data"] for beat in beats}) == [beat["data"] for beat in beats]


def test_a_reader_that_stops_reading_holds_nobody_up_and_piles_up_nothing(site: Site) -> None:
    host, port = site.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.sendall(f"GET /events HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        with events(site, after=site.board.mark) as stream:
            for turn in range(20):
                doubts = tuple(f"doubt {turn} {n}" for n in range(300))
                site.show(replace(PASSED, picture=replace(PASSED.picture, doubts=doubts)))
            ends = time.monotonic() + PATIENCE_S
            while "doubt 19 299" not in parts(named(stream, "parts"))["doubts"]:
                assert time.monotonic() < ends
    site.show(ACCUMULATING)


def test_too_many_readers_are_sent_away_and_places_come_free(site: Site) -> None:
    host, port = site.address.removeprefix("http://").split(":")
    ask = f"GET /events HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()
    sockets = [socket.create_connection((host, int(port))) for _ in range(MAX_STREAMS)]
    for one in sockets:
        one.sendall(ask)
        assert one.recv(16).startswith(b"HTTP/1.1 200")
    assert httpx.get(f"{site.address}/events").status_code == 503
    for one in sockets:
        one.close()
    ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            with events(site) as stream:
                assert next(stream)
            break
        except AssertionError:
            assert time.monotonic() < ends
            time.sleep(0.05)


def test_when_readers_go_their_tasks_go(site: Site) -> None:
    async def tasks() -> int:
        return len(asyncio.all_tasks())

    def running() -> int:
        return asyncio.run_coroutine_threadsafe(tasks(), site.loop).result(PATIENCE_S)

    before = running()
    for _ in range(5):
        with events(site) as stream:
            next(stream)
    ends = time.monotonic() + PATIENCE_S
    while running() > before:
        assert time.monotonic() < ends
        time.sleep(0.05)
