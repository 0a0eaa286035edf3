"""The real better-auth behaves as the Auther that the toolkit is made for."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import jwt
import pytest

from tests.auther.plugin.users import User, Users, bcrypt_envelope
from tests.parts.better_auth import (
    BetterAuth,
    Client,
    LoginRefusedError,
    log_in,
    login_through_authorize,
    start,
)

PASSWORD = "correct horse"
APP = Client("an-app", ("http://localhost:4000/auth/callback", "http://localhost:4000/other"))
CONFIDENTIAL = Client("web-app", ("http://localhost:4001/cb",), type="web", secret="s3cret-of-web")
UNTRUSTED = Client("row-only", ("http://localhost:4002/cb",), trusted=False)

Start = Callable[..., BetterAuth]


@pytest.fixture
def auther(better_auth: Start, tmp_path: Path) -> BetterAuth:
    return better_auth(tmp_path / "auther.db", clients=[APP, CONFIDENTIAL, UNTRUSTED])


@pytest.fixture
def user(auther: BetterAuth, tmp_path: Path) -> User:
    return Users(tmp_path / "auther.db").add(bcrypt_envelope(PASSWORD))


def claims(
    auther: BetterAuth, id_token: str, audience: str, *, verify_iat: bool = True
) -> dict[str, object]:
    """Verify a token with the keys that Auther publishes, as an application does."""
    keys = jwt.PyJWKSet.from_dict(auther.request("GET", "/api/auth/jwks").json())
    key = keys[jwt.get_unverified_header(id_token)["kid"]]
    return jwt.decode(
        id_token,
        key,
        algorithms=["EdDSA"],
        audience=audience,
        issuer=auther.base_url,
        options={"verify_iat": verify_iat},
    )


def test_a_login_in_the_browser_gives_an_id_token(auther: BetterAuth, user: User) -> None:
    tokens = log_in(auther, APP, user.email, PASSWORD)
    found = claims(auther, tokens.id_token, APP.client_id, verify_iat=False)
    assert found["sub"] == user.id
    assert found["nonce"] == tokens.nonce
    assert (found["email"], found["email_verified"]) == (user.email, True)
    bearer = {"Authorization": f"Bearer {tokens.access_token}"}
    assert (
        auther.request("GET", "/api/auth/oauth2/userinfo", headers=bearer).json()["sub"] == user.id
    )


def test_iat_is_in_milliseconds_as_at_auther(auther: BetterAuth, user: User) -> None:
    token = login_through_authorize(auther, APP, user.email, PASSWORD)
    found = claims(auther, token, APP.client_id, verify_iat=False)
    assert int(str(found["iat"])) > 1e12
    assert abs(int(str(found["exp"])) - int(str(found["iat"])) / 1000 - 2 * 86400) < 10
    with pytest.raises(jwt.ImmatureSignatureError):
        claims(auther, token, APP.client_id)


def test_a_confidential_client(auther: BetterAuth, user: User) -> None:
    token = login_through_authorize(auther, CONFIDENTIAL, user.email, PASSWORD)
    assert claims(auther, token, CONFIDENTIAL.client_id, verify_iat=False)["sub"] == user.id


def test_a_wrong_password_or_client_gives_no_code(auther: BetterAuth, user: User) -> None:
    with pytest.raises(LoginRefusedError, match="INVALID_EMAIL_OR_PASSWORD"):
        log_in(auther, APP, user.email, "wrong horse")
    with pytest.raises(LoginRefusedError, match="invalid_client"):
        log_in(auther, Client("stranger", APP.redirect_uris), user.email, PASSWORD)
    with pytest.raises(LoginRefusedError, match="INVALID_REDIRECT_URI"):
        log_in(auther, Client(APP.client_id, ("http://evil.test/",)), user.email, PASSWORD)
    with pytest.raises(LoginRefusedError, match="invalid_client"):
        log_in(
            auther, Client("web-app", CONFIDENTIAL.redirect_uris, secret="x"), user.email, PASSWORD
        )


def test_a_client_known_from_its_row_only_needs_a_consent(
    auther: BetterAuth, user: User, tmp_path: Path
) -> None:
    with pytest.raises(LoginRefusedError, match="NO_CONSENT_PAGE_PROVIDED"):
        log_in(auther, UNTRUSTED, user.email, PASSWORD)
    Users(tmp_path / "auther.db").run(
        "INSERT INTO oauth_consent (id, client_id, user_id, consent_given) VALUES ('c', ?, ?, 1)",
        UNTRUSTED.client_id,
        user.id,
    )
    token = login_through_authorize(auther, UNTRUSTED, user.email, PASSWORD)
    assert claims(auther, token, UNTRUSTED.client_id, verify_iat=False)["sub"] == user.id


def test_discovery(auther: BetterAuth) -> None:
    found = auther.request("GET", "/api/auth/.well-known/openid-configuration").json()
    assert found["issuer"] == auther.base_url
    assert found["jwks_uri"] == f"{auther.base_url}/api/auth/jwks"


def test_a_foreign_origin_is_refused_where_a_cookie_goes_along(
    auther: BetterAuth, user: User
) -> None:
    path, body = "/api/auth/sign-in/email", {"email": user.email, "password": PASSWORD}
    foreign = {"Origin": "https://evil.test", "Cookie": "a=b"}
    assert auther.request("POST", path, json=body, headers=foreign).status_code == 403
    assert auther.request("POST", path, json=body, headers={"Cookie": "a=b"}).status_code == 200


def test_it_runs_on_a_file_that_is_there_and_leaves_its_rows(
    better_auth: Start, tmp_path: Path
) -> None:
    path = tmp_path / "auther.db"
    first = better_auth(path, clients=[APP])
    user = Users(path).add(bcrypt_envelope(PASSWORD))
    before = first.request("GET", "/api/auth/jwks").json()
    first.stop()
    second = better_auth(path, clients=[APP])
    assert second.sign_in(user.email, PASSWORD).user_id == user.id
    assert second.request("GET", "/api/auth/jwks").json() == before
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


def test_the_limits_of_production(better_auth: Start, tmp_path: Path) -> None:
    auther = better_auth(tmp_path / "auther.db", rate_limit=True)
    answers = [auther.sign_in("nobody@example.com", "x").status for _ in range(4)]
    assert answers == [401, 401, 401, 429]


def test_a_server_that_can_not_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "auther.db").write_text("this is not a database at all, and it is long enough")
    with pytest.raises(RuntimeError, match="not a database"):
        start(tmp_path / "auther.db")
