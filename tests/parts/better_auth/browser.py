"""A browser's way through Auther: authorize, login form, redirect with a code, token endpoint (PKCE)."""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx

from tests.parts.better_auth.server import BetterAuth, Client

NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
FORM = re.compile(r'<form method="post" action="([^"]+)"')


@dataclass(frozen=True)
class Tokens:
    """What the token endpoint gave, and the nonce that the id_token has to carry."""

    id_token: str
    access_token: str
    nonce: str


class LoginRefusedError(Exception):
    """Auther did not send the browser back with a code."""


def login_through_authorize(auther: BetterAuth, client: Client, email: str, password: str) -> str:
    """Log in as a browser does and give the id_token."""
    return log_in(auther, client, email, password).id_token


def log_in(auther: BetterAuth, client: Client, email: str, password: str) -> Tokens:
    """Log in as a browser does.

    Raises:
        LoginRefusedError: Auther refused the password, the user or the client.
    """
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    with httpx.Client(base_url=auther.base_url, headers=NAVIGATION, timeout=60) as browser:
        page = browser.get("/api/auth/oauth2/authorize", params=_request(client, verifier, nonce))
        answer = _submit_login(browser, page, email, password)
    code = _code(answer, client)
    return _redeem(auther, client, code=code, verifier=verifier, nonce=nonce)


def _request(client: Client, verifier: str, nonce: str) -> dict[str, str]:
    digest = hashlib.sha256(verifier.encode()).digest()
    return {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uris[0],
        "scope": "openid profile email",
        "state": secrets.token_urlsafe(16),
        "nonce": nonce,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }


def _submit_login(
    browser: httpx.Client, answer: httpx.Response, email: str, password: str
) -> httpx.Response:
    form_page = browser.get(urljoin(str(answer.url), answer.headers.get("location", "")))
    form = FORM.search(form_page.text)
    if form is None:
        raise LoginRefusedError(f"no login form: {form_page.status_code} at {form_page.url.path}")
    origin = f"{form_page.url.scheme}://{form_page.url.netloc.decode()}"
    fields = {"email": email, "password": password}
    return browser.post(form[1], data=fields, headers={"Origin": origin})


def _code(answer: httpx.Response, client: Client) -> str:
    location = answer.headers.get("location", "")
    codes = parse_qs(urlsplit(location).query).get("code")
    if not codes or not location.startswith(client.redirect_uris[0]):
        raise LoginRefusedError(f"{answer.status_code} {answer.text or location}")
    return str(codes[0])


def _redeem(auther: BetterAuth, client: Client, *, code: str, verifier: str, nonce: str) -> Tokens:
    """Exchange the code as the application's backend does: no cookie of the browser goes along."""
    fields = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
    fields |= {"client_id": client.client_id, "redirect_uri": client.redirect_uris[0]}
    fields |= {"client_secret": client.secret} if client.secret else {}
    answer = auther.request("POST", "/api/auth/oauth2/token", data=fields)
    if answer.status_code != httpx.codes.OK:
        raise LoginRefusedError(f"token endpoint: {answer.status_code} {answer.text}")
    body = answer.json()
    return Tokens(body["id_token"], body["access_token"], nonce)
