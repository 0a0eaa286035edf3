"""The decision table of the cutover, row by row and stage by stage, over HTTP."""

from dataclasses import dataclass

import httpx
import pytest

from migrator.conformance.signing_keys import SigningKey
from migrator.core.stage import Stage
from tests.shims.asgi.club import (
    ALICE,
    BOB,
    NAVIGATION,
    SESSION_COOKIE,
    TOKEN_COOKIE,
    Club,
)

LEGACY, DUAL, DRAIN, AUTHER = Stage
TO_LOGIN = "/login?return_to=/me"


@dataclass(frozen=True)
class Row:
    """A request and what comes of it.

    Attributes:
        session: Whose legacy session the browser has.
        header: What the Authorization header holds, by the name of a credential below.
        cookie: What the Auther cookie holds.
        answer: (status, body): a user id, an error code, None for anonymous, a redirect's target.
        counted: path, outcome and reason of the counter.
        at_auther: Answer and counted in stage `auther`, where they differ.
        cookie_kept: Whether the browser still has the Auther cookie.
    """

    name: str
    answer: tuple[int, int | str | None]
    counted: str
    session: int | None = None
    header: str | None = None
    cookie: str | None = None
    navigation: bool = False
    cookie_kept: bool = True
    at_auther: tuple[tuple[int, int | str | None], str] | None = None


ENDED = ((401, "legacy_ended"), "legacy refused legacy_refused")
ENDED_PAGE = ((303, TO_LOGIN), "legacy refused legacy_refused")
STALE_SESSION = ((200, ALICE), "auther accepted legacy_stale")

ROWS = [
    Row("nothing at all", (200, None), "none anonymous "),
    Row("a session", (200, BOB), "legacy accepted ", session=BOB, at_auther=ENDED),
    Row(
        "a session, on a page",
        (200, BOB),
        "legacy accepted ",
        session=BOB,
        navigation=True,
        at_auther=ENDED_PAGE,
    ),
    Row("a token in the header", (200, ALICE), "auther accepted ", header="alice"),
    Row("a token in the cookie", (200, ALICE), "auther accepted ", cookie="alice"),
    Row(
        "a session and a token of the same person",
        (200, ALICE),
        "both accepted ",
        session=ALICE,
        header="alice",
        at_auther=STALE_SESSION,
    ),
    Row(
        "somebody else's session beside a token in the header",
        (401, "auth_conflict"),
        "both refused conflict",
        session=BOB,
        header="alice",
        at_auther=STALE_SESSION,
    ),
    Row(
        "somebody else's session beside a token in the cookie",
        (401, "auth_conflict"),
        "both refused conflict",
        session=BOB,
        cookie="alice",
        at_auther=STALE_SESSION,
    ),
    Row(
        "somebody else's session beside a token in the cookie, on a page",
        (303, "/auth/conflict"),
        "both refused conflict",
        session=BOB,
        cookie="alice",
        navigation=True,
        at_auther=STALE_SESSION,
    ),
    Row(
        "a header hides the cookie",
        (401, "invalid_token"),
        "auther refused expired",
        session=BOB,
        header="expired",
        cookie="alice",
    ),
    *[
        Row(
            f"a header that is {fault} never falls through to the session",
            (401, "invalid_token"),
            f"auther refused {reason}",
            session=BOB,
            header=fault,
        )
        for fault, reason in {
            "expired": "expired",
            "wrong_audience": "audience",
            "forged": "signature",
            "without_kid": "malformed",
        }.items()
    ],
    *[
        Row(
            f"a header that is {fault} is foreign",
            (401, "foreign_bearer"),
            "foreign refused foreign_bearer",
            session=BOB,
            header=fault,
        )
        for fault in ("malformed", "wrong_issuer")
    ],
    *[
        Row(
            f"a cookie that is {fault} is as absent, and removed",
            (200, BOB),
            "legacy accepted ",
            session=BOB,
            cookie=fault,
            cookie_kept=False,
            at_auther=ENDED,
        )
        for fault in ("expired", "wrong_audience", "wrong_issuer")
    ],
    Row(
        "an expired cookie alone",
        (200, None),
        "none anonymous expired",
        cookie="expired",
        cookie_kept=False,
    ),
    *[
        Row(
            f"a cookie that is {fault} spoils the request",
            (401, "invalid_token"),
            f"auther refused {reason}",
            session=BOB,
            cookie=fault,
            cookie_kept=False,
        )
        for fault, reason in {"forged": "signature", "malformed": "malformed"}.items()
    ],
    Row(
        "a forged cookie, on a page",
        (303, TO_LOGIN),
        "auther refused signature",
        session=BOB,
        cookie="forged",
        navigation=True,
        cookie_kept=False,
    ),
    Row(
        "a token of nobody we know",
        (409, "identity_unlinked"),
        "auther refused identity_unlinked",
        session=BOB,
        header="nobody",
    ),
    Row("Basic, alone", (200, None), "none anonymous other_scheme", header="basic"),
    Row(
        "Basic beside a session",
        (200, BOB),
        "legacy accepted ",
        session=BOB,
        header="basic",
        at_auther=ENDED,
    ),
]


def credential(club: Club, name: str) -> str:
    """Give a token by name: "alice", or Alice's with something wrong."""
    forger = SigningKey(kid=club.issuer.keys[-1].kid)
    return {
        "alice": lambda: club.token(ALICE),
        "expired": lambda: club.token(ALICE, exp=1),
        "wrong_audience": lambda: club.token(ALICE, aud="another-client"),
        "wrong_issuer": lambda: club.token(ALICE, iss="https://elsewhere.example"),
        "forged": lambda: club.token(ALICE, key=forger),
        "without_kid": lambda: club.token(ALICE, header={"kid": None}),
        "malformed": lambda: "not-a-token",
        "nobody": lambda: club.issuer.make_token("nobody-known"),
    }[name]()


def send(club: Club, row: Row) -> tuple[httpx.Response, httpx.Client]:
    browser = club.browser(
        signed_in=row.session, token=credential(club, row.cookie) if row.cookie else ""
    )
    headers = dict(NAVIGATION) if row.navigation else {}
    if row.header == "basic":
        headers["Authorization"] = "Basic dXNlcjpwYXNz"
    elif row.header:
        headers["Authorization"] = f"Bearer {credential(club, row.header)}"
    return browser.get("/me", headers=headers), browser


def said(answer: httpx.Response) -> tuple[int, int | str | None]:
    if answer.status_code == 303:
        return 303, answer.headers["location"]
    body = answer.json()
    if "error" in body:
        return answer.status_code, body["error"]
    return answer.status_code, None if body["user"] is None else int(body["user"])


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_request_gets_its_row(club: Club, row: Row, stage: Stage) -> None:
    club.set_stage(stage)
    expected, counted = row.answer, row.counted
    if stage is Stage.AUTHER and row.at_auther is not None:
        expected, counted = row.at_auther
    before = club.requests_counted()

    answer, browser = send(club, row)

    assert said(answer) == expected
    path, outcome, reason = counted.split(" ")
    assert club.requests_counted() - before == {(path, outcome, reason): 1}
    assert (TOKEN_COOKIE in browser.cookies) == (row.cookie is not None and row.cookie_kept)
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize(
    "state", ["locked_at = now()", "confirmed_at = NULL", "deleted_at = now()"]
)
@pytest.mark.parametrize("stage", list(Stage))
def test_a_disabled_user_is_refused_on_both_paths_and_signs_nobody_else_out(
    club: Club, stage: Stage, state: str
) -> None:
    club.sql(f"UPDATE users SET {state} WHERE id = %s", ALICE)
    club.set_stage(stage)

    by_header = club.browser(signed_in=BOB).get(
        "/me", headers={"Authorization": f"Bearer {club.token(ALICE)}"}
    )
    browser = club.browser(signed_in=BOB, token=club.token(ALICE))
    by_cookie = browser.get("/me")

    assert said(by_header) == (401, "invalid_token")
    assert "set-cookie" not in by_header.headers
    assert said(by_cookie) == (401, "invalid_token")
    assert browser.cookies[SESSION_COOKIE] == club.session(BOB)
    if stage is not Stage.AUTHER:
        assert said(club.browser(signed_in=BOB).get("/me")) == (200, BOB)
        assert said(club.browser(signed_in=ALICE).get("/me")) == (401, "invalid_token")


def test_a_lock_by_failed_attempts_does_not_lock_out_who_moved_to_auther(club: Club) -> None:
    club.sql("UPDATE users SET locked_at = now(), failed_attempts = 20 WHERE id = %s", ALICE)
    assert said(club.get(bearer=club.token(ALICE))) == (401, "invalid_token")

    club.sql("UPDATE migrator_identity SET home = 'auther' WHERE user_pk = %s", str(ALICE))

    assert said(club.get(bearer=club.token(ALICE))) == (200, ALICE)


def test_a_lock_that_ran_out_is_no_lock(club: Club) -> None:
    club.sql("UPDATE users SET locked_at = now() - interval '61 minutes' WHERE id = %s", ALICE)

    assert said(club.get(bearer=club.token(ALICE))) == (200, ALICE)


def test_a_pinned_user_keeps_the_session_and_cannot_use_auther(club: Club) -> None:
    club.sql(
        "UPDATE migrator_identity SET pinned_reason = 'second_factor' WHERE user_pk = %s",
        str(ALICE),
    )
    before = club.requests_counted()

    assert said(club.get(bearer=club.token(ALICE))) == (401, "invalid_token")
    assert said(club.browser(signed_in=ALICE).get("/me")) == (200, ALICE)
    counted = club.requests_counted() - before
    assert counted == {("auther", "refused", "pinned"): 1, ("legacy", "accepted", ""): 1}


def test_a_token_from_before_a_sign_out_everywhere_is_refused(club: Club) -> None:
    token = club.token(ALICE)
    club.sql(
        "UPDATE migrator_identity SET auth_valid_after = now() + interval '2 s' WHERE user_pk = %s",
        str(ALICE),
    )

    assert said(club.get(bearer=token)) == (401, "invalid_token")
    browser = club.browser(signed_in=BOB, token=token)
    assert said(browser.get("/me")) == (200, BOB)
    assert TOKEN_COOKIE not in browser.cookies


def test_after_a_compromise_no_auther_credential_is_accepted(club: Club) -> None:
    club.set_stage(Stage.LEGACY, stop_accepting=True)
    browser = club.browser(signed_in=BOB, token=club.token(ALICE))

    assert said(club.get(bearer=club.token(ALICE))) == (401, "invalid_token")
    assert said(browser.get("/me")) == (200, BOB)
    assert TOKEN_COOKIE not in browser.cookies


def test_legacy_sessions_end_in_drain_at_the_deadline(club: Club) -> None:
    club.set_stage(Stage.DRAIN, legacy_accept_until="2020-01-01T00:00:00Z")
    assert said(club.browser(signed_in=BOB).get("/me")) == (401, "legacy_ended")

    club.set_stage(Stage.DRAIN, legacy_accept_until="2099-01-01T00:00:00.000000Z")
    assert said(club.browser(signed_in=ALICE).get("/me")) == (200, ALICE)


def test_an_ended_session_loses_its_user_and_keeps_the_rest(club: Club) -> None:
    club.set_stage(Stage.AUTHER)
    browser = club.browser(signed_in=BOB)
    assert said(browser.get("/me")) == (401, "legacy_ended")
    assert said(browser.get("/me")) == (200, None)

    (stored,) = club.sql("SELECT data FROM sessions ORDER BY updated_at DESC LIMIT 1")
    assert "_csrf_token" in stored[0]
    assert "warden" not in stored[0]


def test_the_login_page_does_not_redirect_to_itself(club: Club) -> None:
    browser = club.browser(
        signed_in=BOB, token=club.token(ALICE, key=SigningKey(kid=club.issuer.keys[-1].kid))
    )

    assert browser.get("/login", headers=NAVIGATION).status_code == 200
    assert TOKEN_COOKIE not in browser.cookies


def test_token_requests_leave_lockout_and_tracking_alone(club: Club) -> None:
    club.sql("UPDATE users SET failed_attempts = 3, sign_in_count = 7 WHERE id = %s", ALICE)
    for _ in range(3):
        assert said(club.get(bearer=club.token(ALICE))) == (200, ALICE)
        club.get(bearer=club.token(ALICE, exp=1))

    query = "SELECT failed_attempts, sign_in_count FROM users WHERE id = %s"
    assert club.sql(query, ALICE) == [(3, 7)]
    club.sql("UPDATE users SET sign_in_count = 0 WHERE id = %s", ALICE)


def test_an_answer_of_the_shim_is_never_cached(club: Club) -> None:
    assert club.get(bearer=club.token(ALICE, exp=1)).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_the_scheme_is_read_in_any_case(club: Club, scheme: str) -> None:
    answer = club.get(Authorization=f"{scheme} {club.token(ALICE)}")
    assert said(answer) == (200, ALICE)


def test_two_authorization_headers_are_refused(club: Club) -> None:
    good = f"Bearer {club.token(ALICE)}"
    headers = [("Authorization", good), ("Authorization", good)]
    answer = httpx.get(f"{club.app.base_url}/me", headers=headers)

    assert said(answer) == (401, "invalid_token")


def test_headers_that_name_a_user_are_nobodys_business(club: Club) -> None:
    spoofed = {
        name: str(ALICE) for name in ("X-User", "X-Auther-User", "auther.user", "Remote-User")
    }

    assert said(club.get(**spoofed)) == (200, None)


def test_exempt_paths_are_not_decided(club: Club) -> None:
    before = club.requests_counted()

    assert club.get("/healthz", bearer="rubbish").status_code == 200
    assert club.requests_counted() == before
