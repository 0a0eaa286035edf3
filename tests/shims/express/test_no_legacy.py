"""The plain integration with Auther: with users of the application's own, and without any."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from migrator.conformance.issuer import Issuer
from tests.parts import require
from tests.parts.express import ExpressApp, prepare
from tests.parts.stage_file import shim_settings
from tests.shims.asgi.club import ALICE, NAVIGATION, TOKEN_COOKIE, XHR, sub_of
from tests.shims.express.club import Club
from tests.shims.reporting import ALONE, check_that_it_reports_no_legacy_side

pytestmark = pytest.mark.xdist_group("express")


@dataclass(kw_only=True)
class PlainApp(ExpressApp):
    """The application that only knows Auther."""

    def command(self) -> list[str]:
        """Give Node.js with it."""
        return ["node", "plain.js"]


@pytest.fixture(scope="module", params=["public.users", ""], ids=["users", "no-users"])
def plain(request: pytest.FixtureRequest, running_club: Club) -> Iterator[Club]:
    """It, on the same users as the other one."""
    require("express")
    with Issuer() as issuer:
        settings = shim_settings(issuer, stage_public_key="", redirect_uri="")
        bare = replace(settings, legacy=False, users_table=request.param)
        extra = {"MIGRATOR_JWKS_COOLDOWN_S": "1", **ALONE}
        app = prepare(running_club.dsn, issuer, settings=bare, extra=extra)
        app = PlainApp(**vars(app))
        app.start()
        yield Club(app, issuer, running_club.dsn)
        app.remove()


def own_id(plain: Club) -> str:
    """What the application knows alice by."""
    has_users = "migrator_identity" in (plain.app.folder / "auther-cutover/people.js").read_text()
    return str(ALICE) if has_users else sub_of(ALICE)


def ask(plain: Club, token: str = "", *, cookie: str = "", **headers: str) -> httpx.Response:
    with plain.browser(token=cookie) as client:
        sent = {**headers, **({"Authorization": f"Bearer {token}"} if token else {})}
        return client.get("/whoami", headers=sent)


def test_it_says_that_it_has_no_legacy_side(plain: Club) -> None:
    if own_id(plain) == str(ALICE):
        check_that_it_reports_no_legacy_side(plain)
    info = plain.labels("migrator_shim_info")
    assert (info["build"], info["stage"], info["epoch"]) == ("test-build", "auther", "0")


def test_a_token_in_header_or_cookie_is_its_user(plain: Club) -> None:
    for place in ("header", "cookie"):
        answer = ask(plain, **{"token" if place == "header" else "cookie": plain.token(ALICE)})
        assert answer.json() == {
            "user": own_id(plain),
            "credential": place,
            "auther_id": sub_of(ALICE),
        }
    assert ask(plain).json() == {"user": None}


def test_what_is_refused_is_refused_alike(plain: Club) -> None:
    refused = {
        "invalid_token": plain.token(ALICE, exp=1),
        "foreign_bearer": plain.token(ALICE, iss="https://elsewhere.example"),
    }
    for error, token in refused.items():
        answer = ask(plain, token)
        assert (answer.status_code, answer.json()) == (401, {"error": error})
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert ask(plain, cookie="rubbish").status_code == 401
    assert (
        ask(plain, cookie="rubbish", **NAVIGATION)
        .headers["location"]
        .startswith("/auth/auther/start")
    )


def test_a_stranger_is_409_where_there_are_users(plain: Club) -> None:
    answer = ask(plain, plain.issuer.make_token("nobody-known"))
    expected = (409, {"error": "identity_unlinked"})
    if own_id(plain) == str(ALICE):
        assert (answer.status_code, answer.json()) == expected
    else:
        assert answer.json()["user"] == "nobody-known"


def test_the_browsers_login_and_its_end(plain: Club) -> None:
    with plain.browser() as client:
        answer = plain.sign_in_at_auther(client, ALICE)
        assert urlsplit(answer.headers["location"]).path == "/whoami"
        assert client.get("/whoami").json()["user"] == own_id(plain)
        assert (
            client.post(
                "/auth/auther/logout", headers={"Origin": "https://evil.example"}
            ).status_code
            == 403
        )
        origin = {"Origin": plain.app.base_url}
        assert client.post("/auth/auther/logout", headers=origin).status_code == 303
        assert TOKEN_COOKIE not in client.cookies


def test_of_a_parameter_that_comes_twice_the_first_counts(plain: Club) -> None:
    twice = {"return_to": ["/whoami", "/healthz"]}
    plain.issuer.signed_in_sub = sub_of(ALICE)
    with plain.browser() as client:
        begun = client.get("/auth/auther/start", params=twice, headers=NAVIGATION)
        back = httpx.get(begun.headers["location"])
        answer = client.get(back.headers["location"], headers=NAVIGATION)
        assert answer.headers["location"] == "/whoami"


def test_an_expired_cookie_is_renewed_on_the_way_to_a_page(plain: Club) -> None:
    with plain.browser(token=plain.token(ALICE, exp=1)) as client:
        answer = client.get("/whoami", headers=NAVIGATION)
        assert parse_qs(urlsplit(answer.headers["location"]).query)["renew"] == ["1"]
        assert client.get("/whoami", headers=XHR).json() == {"user": None}


def test_without_keys_the_answer_is_503(plain: Club) -> None:
    good = list(plain.issuer.keys)
    plain.issuer.rotate(keep_old=False)
    plain.issuer.jwks_mode = "error"
    answer = ask(plain, plain.token(ALICE))
    plain.issuer.keys, plain.issuer.jwks_mode = good, "ok"
    assert (answer.status_code, answer.json()) == (503, {"error": "verification_unavailable"})
    assert int(answer.headers["retry-after"]) >= 1
    plain.wait_for(lambda: ask(plain, plain.token(ALICE)).status_code == 200)
