"""One visit to an Auther: what several questions need is fetched once and kept, failures too."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import parse_qs, urlsplit

from migrator.auther.live.doctor.asking import FETCH, NAVIGATION, Answer, Asker
from migrator.auther.live.doctor.interface import NoAnswerError
from migrator.auther.live.doctor.tokens import Token, read_token
from migrator.auther.live.probe import is_encrypted

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.auther.live.doctor.interface import Account, Setting
    from migrator.core.clock import Clock

T = TypeVar("T")
OK, TOO_MANY = 200, 429
# Auther's own limit lets somebody in again after 10 s.
LONGEST_WAIT_S = 12.0
_SCOPES = "openid profile email"


@dataclass(frozen=True)
class Flow:
    """One authorization request: what was sent and what came back."""

    answer: Answer
    verifier: str
    nonce: str


@dataclass(frozen=True)
class Tokens:
    """What the token endpoint gave for the canary's code."""

    id_token: Token
    text: str
    access_token: str
    refresh_token: str
    nonce: str


class Visit:
    """What a question may use."""

    def __init__(
        self,
        setting: Setting,
        asker: Asker,
        clock: Clock,
        *,
        remove_user: Callable[[str], bool] = lambda _user_id: False,
    ) -> None:
        """Begin a visit.

        Args:
            setting: What the configuration says.
            asker: Sends the requests.
            clock: Tells the time, and waits where Auther says to.
            remove_user: Takes a test user out of Auther's database; tells whether it could.
        """
        self.setting = setting
        self.asker = asker
        self.clock = clock
        self.remove_user = remove_user
        self._known: dict[str, object] = {}

    def discovery(self) -> Answer:
        """Give the answer to the discovery request.

        Raises:
            NoAnswerError: Nothing that could be read.
        """
        url = f"{self.setting.api}/.well-known/openid-configuration"
        return self.once("discovery", lambda: self._document(url))

    def key_set(self) -> list[dict[str, Any]]:
        """Give the keys of the key set, one at least.

        Raises:
            NoAnswerError: There is none.
        """
        found = self.once("keys", lambda: self._document(f"{self.setting.api}/jwks")).json
        keys = found.get("keys")
        usable = [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []
        if not usable:
            raise NoAnswerError("the key set holds no keys")
        return usable

    def session(self) -> dict[str, str]:
        """Give the cookies of the canary's session.

        Raises:
            NoAnswerError: There is no canary, or it cannot sign in.
        """
        return self.once("session", self._sign_in)

    def sign_in(self, canary: Account) -> Answer:
        """Sign in; where Auther says to wait, wait once."""
        answer = self._post_sign_in(canary)
        if answer.status == TOO_MANY:
            self.clock.sleep(min(retry_after(answer) or LONGEST_WAIT_S, LONGEST_WAIT_S))
            answer = self._post_sign_in(canary)
        return answer

    def canary(self) -> Account:
        """Give the canary.

        Raises:
            NoAnswerError: There is none, or its password would travel in the clear.
        """
        if not is_encrypted(self.setting.base_url):
            raise NoAnswerError("no password is sent over plain http")
        if self.setting.canary is None:
            raise NoAnswerError("needs a canary: [auther.doctor] email and password, or --canary")
        return self.setting.canary

    def authorize(
        self,
        *,
        prompt: str = "",
        signed_in: bool = True,
        fetch: bool = False,
        offline: bool = False,
    ) -> Flow:
        """Ask for a code as a browser does; each combination once.

        Args:
            prompt: OIDC's prompt, `consent` or `none`.
            signed_in: With the canary's session.
            fetch: As a script does it, not as a navigation.
            offline: With the scope of refresh tokens.

        Raises:
            NoAnswerError: No canary, no client in the configuration, or no answer.
        """
        cookies = self.session() if signed_in else {}
        headers = FETCH if fetch else NAVIGATION
        scope = f"{_SCOPES} offline_access" if offline else _SCOPES
        more = {"scope": scope} | ({"prompt": prompt} if prompt else {})
        return self.once(
            f"authorize {more} {signed_in} {fetch}",
            lambda: self._authorize(more, headers, cookies),
        )

    def tokens(self, *, offline: bool = False) -> Tokens:
        """Give the canary's tokens.

        Args:
            offline: With the scope of refresh tokens.

        Raises:
            NoAnswerError: There was no code, or the token endpoint refused it.
        """
        return self.once(f"tokens {offline}", lambda: self._redeem(offline=offline))

    def refresh(self, refresh_token: str) -> Answer:
        """Use a refresh token."""
        grant = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self._token(grant)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Make something the first time, and give it, or the failure, from then on.

        Raises:
            NoAnswerError: Making it failed, now or before.
        """
        if name not in self._known:
            try:
                self._known[name] = make()
            except NoAnswerError as error:
                self._known[name] = error
        known = self._known[name]
        if isinstance(known, NoAnswerError):
            raise known
        return cast("T", known)

    def leave(self) -> None:
        """End the canary's session, where there is one."""
        cookies = self._known.get("session")
        if isinstance(cookies, dict):
            self.sign_out(cookies)

    def sign_out(self, cookies: dict[str, str]) -> None:
        """End one session."""
        url = f"{self.setting.api}/sign-out"
        self.asker.ask("POST", url, headers=FETCH, cookies=cookies, json={})

    def _document(self, url: str) -> Answer:
        answer = self.asker.ask("GET", url)
        if answer.status != OK:
            raise NoAnswerError(f"{url} answered {answer.status}")
        if not answer.json:
            raise NoAnswerError(f"{url} answered no JSON object")
        return answer

    def _post_sign_in(self, canary: Account) -> Answer:
        body = {"email": canary.email, "password": canary.password}
        return self.asker.ask(
            "POST", f"{self.setting.api}/sign-in/email", headers=FETCH, json=body
        )

    def first_sign_in(self) -> Answer:
        """Give Auther's answer to the canary's sign-in.

        Raises:
            NoAnswerError: There is no canary, or no answer.
        """
        return self.once("sign in", lambda: self.sign_in(self.canary()))

    def _sign_in(self) -> dict[str, str]:
        answer = self.first_sign_in()
        if answer.status != OK or not answer.cookies:
            raise NoAnswerError(
                f"the canary cannot sign in: {answer.status} {answer.code}".strip()
            )
        return answer.cookies

    def _authorize(
        self, more: dict[str, str], headers: dict[str, str], cookies: dict[str, str]
    ) -> Flow:
        if not (self.setting.client_id and self.setting.redirect_uri):
            raise NoAnswerError("[auther] client_id or [shim] redirect_uri is not set")
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        query = {
            "response_type": "code",
            "client_id": self.setting.client_id,
            "redirect_uri": self.setting.redirect_uri,
            "state": secrets.token_urlsafe(16),
            "nonce": nonce,
            "code_challenge": challenge.rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        url = f"{self.setting.api}/oauth2/authorize"
        answer = self.asker.ask(
            "GET",
            url,
            headers=headers,
            cookies=cookies,
            query=query | more,
        )
        return Flow(answer, verifier, nonce)

    def _token(self, grant: dict[str, str]) -> Answer:
        url = f"{self.setting.api}/oauth2/token"
        form = {"client_id": self.setting.client_id} | grant
        return self.asker.ask("POST", url, headers=FETCH, form=form)

    def _redeem(self, *, offline: bool) -> Tokens:
        flow = self.authorize(offline=offline)
        grant = {
            "grant_type": "authorization_code",
            "code": code_of(flow.answer, self.setting.redirect_uri),
            "code_verifier": flow.verifier,
            "redirect_uri": self.setting.redirect_uri,
        }
        answer = self._token(grant)
        if answer.status != OK:
            why = answer.json.get("error_description") or answer.code
            raise NoAnswerError(f"the token endpoint answered {answer.status} {why}".strip())
        body, text = answer.json, str(answer.json.get("id_token", ""))
        access, refresh = str(body.get("access_token", "")), str(body.get("refresh_token", ""))
        return Tokens(read_token(text), text, access, refresh, flow.nonce)


def code_of(answer: Answer, redirect_uri: str) -> str:
    """Give the code that an authorization request brought.

    Raises:
        NoAnswerError: It brought none.
    """
    query = parse_qs(urlsplit(answer.location).query) if _is_back(answer, redirect_uri) else {}
    if "code" not in query:
        raise NoAnswerError("Auther gave the canary no code (see client and consent)")
    return query["code"][0]


def _is_back(answer: Answer, redirect_uri: str) -> bool:
    return answer.location.startswith(redirect_uri)


def retry_after(answer: Answer) -> float | None:
    """Give the seconds that a limit asks to wait, None when it does not say."""
    for name in ("x-retry-after", "retry-after"):
        text = answer.headers.get(name, "")
        if text.isdecimal():
            return float(text)
    return None
