"""The decision table of the cutover, row by row, in the running Rails application."""

from dataclasses import dataclass

import httpx
import pytest

from migrator.conformance.signing_keys import SigningKey
from migrator.core.stage import Stage
from tests.shims.rails.club import ALICE, BOB, NAVIGATION, TOKEN_COOKIE, XHR, Club

PAST_DEADLINE = "2020-01-01T00:00:00Z"


@dataclass(frozen=True)
class Row:
    """A request and what comes of it.

    Attributes:
        session: Whose legacy session the browser has.
        header: What the Authorization header holds, by the name of a credential below.
        cookie: What the Auther cookie holds.
        answer: A user id, an error code, "anonymous" or the path of a redirect.
        counted: path, outcome and reason of the counter.
        cookie_kept: Whether the browser still has the Auther cookie.
    """

    name: str
    answer: int | str
    counted: str
    session: int | None = None
    header: str | None = None
    cookie: str | None = None
    navigation: bool = False
    cookie_kept: bool = True


def credential(club: Club, name: str) -> str:
    """Give a token by name: "alice", or Alice's with something wrong."""
    alice = club.token(ALICE)
    wrong = {
        "alice": alice,
        "expired": club.token(ALICE, exp=1),
        "wrong_audience": club.token(ALICE, aud="another-client"),
        "wrong_issuer": club.token(ALICE, iss="https://elsewhere.example"),
        "forged": club.token(ALICE, key=SigningKey(kid=club.issuer.keys[-1].kid)),
        "malformed": "not-a-token",
        "foreign": "0123456789abcdef0123456789abcdef",
        "foreign_jwt": club.token(ALICE, iss="https://doorkeeper.example"),
        "nobody": club.issuer.make_token("nobody-known"),
        "basic": "Basic dXNlcjpwYXNz",
    }
    return wrong[name]


def send(club: Club, row: Row) -> tuple[httpx.Response, httpx.Client]:
    client = club.browser(signed_in=row.session)
    if row.cookie:
        client.cookies.set(TOKEN_COOKIE, credential(club, row.cookie), domain="127.0.0.1")
    headers = dict(NAVIGATION if row.navigation else XHR)
    if row.header:
        value = credential(club, row.header)
        headers["Authorization"] = value if value.startswith("Basic") else f"Bearer {value}"
    return client.get("/whoami", headers=headers), client


def answer_of(response: httpx.Response) -> int | str:
    if response.status_code == 303:
        return response.headers["location"]
    body = response.json()
    if response.status_code == 200:
        return "anonymous" if body["user"] is None else int(body["user"])
    return f"{response.status_code} {body['error']}"


def check(club: Club, row: Row) -> None:
    before = club.counters()
    response, client = send(club, row)
    assert answer_of(response) == row.answer
    assert _new_request(before, club.counters()) == row.counted
    if row.cookie:
        assert (TOKEN_COOKIE in client.cookies) is row.cookie_kept
    if response.status_code == 401:
        assert response.headers["www-authenticate"].startswith("Bearer")
    client.close()


def _new_request(before: dict[tuple[str, ...], int], after: dict[tuple[str, ...], int]) -> str:
    grown = [
        series
        for series, value in after.items()
        if series[0] == "auth_requests_total" and value != before.get(series, 0)
    ]
    assert len(grown) == 1, grown
    labels = dict(part.split("=", 1) for part in grown[0][1:])
    return " ".join(labels[name] for name in ("path", "outcome", "reason") if name in labels)


TO_LOGIN = "/users/sign_in"
TO_AUTHER = "/auth/auther/start?return_to=%2Fwhoami"
BOTH_STAGES = [
    Row("nobody", "anonymous", "none anonymous"),
    Row("session alone", BOB, "legacy accepted", session=BOB),
    Row("header alone", ALICE, "auther accepted", header="alice"),
    Row("cookie alone", ALICE, "auther accepted", cookie="alice"),
    Row("header, same user's session", ALICE, "both accepted", session=ALICE, header="alice"),
    Row("cookie, same user's session", ALICE, "both accepted", session=ALICE, cookie="alice"),
    Row(
        "header expired",
        "401 invalid_token",
        "auther refused expired",
        session=BOB,
        header="expired",
    ),
    Row(
        "header wrong audience",
        "401 invalid_token",
        "auther refused audience",
        session=BOB,
        header="wrong_audience",
    ),
    Row(
        "header forged",
        "401 invalid_token",
        "auther refused signature",
        session=BOB,
        header="forged",
    ),
    Row(
        "header of a stranger",
        "409 identity_unlinked",
        "auther refused identity_unlinked",
        session=BOB,
        header="nobody",
    ),
    Row(
        "header, other user's session",
        "401 auth_conflict",
        "both refused conflict",
        session=BOB,
        header="alice",
    ),
    Row(
        "header conflict on a page",
        "401 auth_conflict",
        "both refused conflict",
        session=BOB,
        header="alice",
        navigation=True,
    ),
    Row(
        "cookie, other user's session, page",
        "/auth/conflict",
        "both refused conflict",
        session=BOB,
        cookie="alice",
        navigation=True,
    ),
    Row(
        "cookie, other user's session, XHR",
        "401 auth_conflict",
        "both refused conflict",
        session=BOB,
        cookie="alice",
    ),
    Row(
        "cookie expired", BOB, "legacy accepted", session=BOB, cookie="expired", cookie_kept=False
    ),
    Row(
        "cookie wrong audience",
        BOB,
        "legacy accepted",
        session=BOB,
        cookie="wrong_audience",
        cookie_kept=False,
    ),
    Row(
        "cookie wrong issuer",
        BOB,
        "legacy accepted",
        session=BOB,
        cookie="wrong_issuer",
        cookie_kept=False,
    ),
    Row(
        "cookie expired, no session",
        "anonymous",
        "none anonymous",
        cookie="expired",
        cookie_kept=False,
    ),
    Row(
        "cookie malformed, XHR",
        "401 invalid_token",
        "auther refused malformed",
        session=BOB,
        cookie="malformed",
        cookie_kept=False,
    ),
    Row(
        "cookie forged, XHR",
        "401 invalid_token",
        "auther refused signature",
        session=BOB,
        cookie="forged",
        cookie_kept=False,
    ),
    Row(
        "cookie of a stranger",
        "409 identity_unlinked",
        "auther refused identity_unlinked",
        session=BOB,
        cookie="nobody",
        cookie_kept=False,
    ),
    Row(
        "header hides the cookie",
        "401 invalid_token",
        "auther refused expired",
        header="expired",
        cookie="alice",
    ),
    Row(
        "opaque foreign bearer",
        "401 foreign_bearer",
        "foreign refused foreign_bearer",
        session=BOB,
        header="foreign",
    ),
    Row(
        "foreign JWT",
        "401 foreign_bearer",
        "foreign refused foreign_bearer",
        session=BOB,
        header="foreign_jwt",
    ),
]
DUAL = [
    *BOTH_STAGES,
    Row(
        "cookie forged, page",
        TO_LOGIN,
        "auther refused signature",
        session=BOB,
        cookie="forged",
        navigation=True,
        cookie_kept=False,
    ),
]
DRAIN = [
    *BOTH_STAGES,
    Row(
        "cookie forged, page",
        TO_AUTHER,
        "auther refused signature",
        session=BOB,
        cookie="forged",
        navigation=True,
        cookie_kept=False,
    ),
]
LEGACY = [
    Row("session alone", BOB, "legacy accepted", session=BOB),
    Row("header still accepted", ALICE, "auther accepted", header="alice"),
    Row("cookie still accepted", ALICE, "auther accepted", cookie="alice"),
    Row("conflict", "401 auth_conflict", "both refused conflict", session=BOB, header="alice"),
]
STOPPED = [
    Row("session alone", BOB, "legacy accepted", session=BOB),
    Row(
        "header refused",
        "401 invalid_token",
        "auther refused stopped",
        session=ALICE,
        header="alice",
    ),
    Row("cookie removed", BOB, "legacy accepted", session=BOB, cookie="alice", cookie_kept=False),
]
AUTHER = [
    Row("nobody", "anonymous", "none anonymous"),
    Row("header alone", ALICE, "auther accepted", header="alice"),
    Row("cookie alone", ALICE, "auther accepted", cookie="alice"),
    Row(
        "session ignored beside a header",
        ALICE,
        "auther accepted legacy_stale",
        session=BOB,
        header="alice",
    ),
    Row(
        "session ignored beside a cookie",
        ALICE,
        "auther accepted legacy_stale",
        session=BOB,
        cookie="alice",
    ),
    Row("session alone, XHR", "401 legacy_ended", "legacy refused legacy_refused", session=BOB),
    Row(
        "session alone, page",
        TO_AUTHER,
        "legacy refused legacy_refused",
        session=BOB,
        navigation=True,
    ),
    Row(
        "session beside a bad header",
        "401 invalid_token",
        "auther refused expired",
        session=BOB,
        header="expired",
    ),
]


def rows(table: list[Row]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", table, ids=lambda row: row.name)


class TestDual:
    @rows(DUAL)
    def test_row(self, club: Club, row: Row) -> None:
        check(club, row)


class TestDrain:
    @rows(DRAIN)
    def test_row(self, club_in_drain: Club, row: Row) -> None:
        check(club_in_drain, row)


class TestLegacy:
    @rows(LEGACY)
    def test_row(self, club_in_legacy: Club, row: Row) -> None:
        check(club_in_legacy, row)


class TestLegacyAfterStopAccepting:
    @rows(STOPPED)
    def test_row(self, club_stopped: Club, row: Row) -> None:
        check(club_stopped, row)


class TestAuther:
    @rows(AUTHER)
    def test_row(self, club_in_auther: Club, row: Row) -> None:
        check(club_in_auther, row)


class TestDrainAfterTheDeadline:
    @rows(AUTHER)
    def test_row(self, club_after_deadline: Club, row: Row) -> None:
        check(club_after_deadline, row)


@pytest.fixture
def club_in_drain(prepared_club: Club) -> Club:
    prepared_club.set_stage(Stage.DRAIN)
    return prepared_club


@pytest.fixture
def club_in_legacy(prepared_club: Club) -> Club:
    prepared_club.set_stage(Stage.LEGACY)
    return prepared_club


@pytest.fixture
def club_stopped(prepared_club: Club) -> Club:
    prepared_club.set_stage(Stage.LEGACY, stop_accepting=True)
    return prepared_club


@pytest.fixture
def club_in_auther(prepared_club: Club) -> Club:
    prepared_club.set_stage(Stage.AUTHER)
    return prepared_club


@pytest.fixture
def club_after_deadline(prepared_club: Club) -> Club:
    prepared_club.set_stage(Stage.DRAIN, legacy_accept_until=PAST_DEADLINE)
    return prepared_club


@pytest.fixture
def prepared_club(running_club: Club) -> Club:
    """Bob's and Alice's legacy sessions exist, whatever stage comes next."""
    running_club.reset_people()
    if not {BOB, ALICE} <= running_club.sessions.keys():
        running_club.set_stage(Stage.DUAL)
        for user_id in (BOB, ALICE):
            running_club.browser(signed_in=user_id).close()
    return running_club
