"""A browser's way through Auther: authorize, login form, redirect with a code, token endpoint (PKCE)."""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Self
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
    with Journey(auther, client) as journey:
        journey.submit("/sign-in", email=email, password=password)
        return journey.redeem()


class Journey:
    """One browser on its way from the application's login through Auther's pages. A context manager.

    Args:
        auther: Where it is sent.
        client: By whom.
    """

    def __init__(self, auther: BetterAuth, client: Client) -> None:
        self._auther, self._client = auther, client
        self._verifier, self._nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        self._browser = httpx.Client(base_url=auther.base_url, headers=NAVIGATION, timeout=60)
        query = _request(client, self._verifier, self._nonce)
        self._page = self._browser.get("/api/auth/oauth2/authorize", params=query)
        self._answer = self._page

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._browser.close()

    def submit(self, path: str, **fields: str) -> None:
        """Fill in the form of a page of Auther's; every page but the login page is reached by a link there.

        Raises:
            LoginRefusedError: There is no such page or no form.
        """
        page = self._browser.get(
            urljoin(str(self._page.url), self._page.headers.get("location", ""))
        )
        if page.url.path != path:
            if f'href="{path}"' not in page.text:
                raise LoginRefusedError(f"{page.url.path} has no link to {path}")
            page = self._browser.get(path)
        form = FORM.search(page.text)
        if form is None:
            raise LoginRefusedError(f"no form: {page.status_code} at {page.url.path}")
        origin = f"{page.url.scheme}://{page.url.netloc.decode()}"
        self._answer = self._browser.post(form[1], data=fields, headers={"Origin": origin})

    def open(self, url: str) -> None:
        """Open a link, as from a mail, in the same browser."""
        self._answer = self._browser.get(url)

    def redeem(self) -> Tokens:
        """Take the code that the last answer leads back with, as the application's backend does.

        Raises:
            LoginRefusedError: Auther sent no code, or the token endpoint refuses it.
        """
        code = _code(self._answer, self._client)
        return _redeem(
            self._auther, self._client, code=code, verifier=self._verifier, nonce=self._nonce
        )


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
