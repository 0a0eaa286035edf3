"""What applications call at Auther's plugin: verify, logout, reset tickets, session exchange."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from migrator.conformance.signing_keys import b64url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PluginMode = Literal["ok", "down", "slow"]
CAPABILITIES = ("verify", "exchange/ticket", "logout", "reset-ticket")
NONCE_COOKIE = "migrator_nonce"


@dataclass(frozen=True)
class Refused(Exception):  # noqa: N818 (an answer, not a failure of the program)
    """The plugin says no: an HTTP status and its code."""

    status: int
    code: str


@dataclass(frozen=True)
class RedemptionRefused(Exception):  # noqa: N818 (an answer, not a failure of the program)
    """A ticket gives no session: the error with which the browser is sent back, and why."""

    error: str
    description: str = ""

    def query(self, state: str) -> dict[str, str]:
        """Give what is added to the client's redirect URI."""
        said = {"error_description": self.description} if self.description else {}
        return {"error": self.error, **said, "state": state}


@dataclass(frozen=True)
class Ticket:
    """What an exchange ticket is bound to."""

    sub: str
    nonce_hash: str
    client_id: str
    code_challenge: str


@dataclass
class PluginStandIn:
    """The plugin's endpoints for servers, with the shapes of the real ones.

    Attributes:
        mode: "down" closes the connection, "slow" takes `slow_s`.
        passwords: By Auther id: who is known, and what `verify` compares with.
        banned: Auther ids that get no ticket and are never valid.
        given: By capability: the secret that must come as a bearer; without one any bearer is taken.
        calls: Each call so far: the capability and what it said.
    """

    mode: PluginMode = "ok"
    passwords: dict[str, str] = field(default_factory=dict)
    banned: set[str] = field(default_factory=set)
    given: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    tickets: dict[str, Ticket] = field(default_factory=dict)

    def answer(self, capability: str, authorization: str, body: dict[str, Any]) -> dict[str, Any]:
        """Answer a call of the application's server.

        Raises:
            Refused: The secret is wrong, or the call makes no sense for this user.
        """
        scheme, _, secret = authorization.partition(" ")
        if scheme.lower() != "bearer" or not secret:
            raise Refused(401, "wrong_secret")
        if self.given.get(capability, secret) != secret:
            raise Refused(401, "wrong_secret")
        self.calls.append((capability, body))
        match capability:
            case "verify":
                return self._verify(body)
            case "exchange/ticket":
                return self._ticket(body)
            case "logout":
                self._known(body)
                return {"ended": 1}
            case _:
                self._known(body)
                token = secrets.token_hex(24)
                return {"token": token, "url": f"/api/auth/reset-password/{token}"}

    def redeem(
        self, secret: str, *, nonce: str, present: str | None, query: dict[str, str]
    ) -> str:
        """Give the Auther id of a ticket, once.

        Args:
            secret: The ticket.
            nonce: Of this browser.
            query: The authorization request that goes on with it.
            present: Who is signed in at Auther in this browser.

        Raises:
            RedemptionRefused: Anything does not fit, the user may not sign in, or another one is
                there.
        """
        ticket = self.tickets.pop(secret, None)
        wanted = (hash_of(nonce), query.get("client_id"), query.get("code_challenge"))
        fits = ticket is not None and wanted == (
            ticket.nonce_hash,
            ticket.client_id,
            ticket.code_challenge,
        )
        if ticket is None or not fits or query.get("code_challenge_method") != "S256":
            raise RedemptionRefused("login_required")
        if ticket.sub in self.banned:
            raise RedemptionRefused("access_denied", "banned")
        if present not in {None, ticket.sub}:
            raise RedemptionRefused("access_denied", "other_session")
        return ticket.sub

    def called(self, capability: str) -> list[dict[str, Any]]:
        """Give what each call of a capability said."""
        return [body for name, body in self.calls if name == capability]

    def from_now(self, capability: str) -> Callable[[], list[dict[str, Any]]]:
        """Give what tells of each call of a capability that comes after this one."""
        before = len(self.called(capability))
        return lambda: self.called(capability)[before:]

    @contextmanager
    def down(self) -> Iterator[None]:
        """Give no answer meanwhile."""
        self.mode = "down"
        try:
            yield
        finally:
            self.mode = "ok"

    @contextmanager
    def banning(self, auther_id: str) -> Iterator[None]:
        """Ban somebody meanwhile."""
        self.banned.add(auther_id)
        try:
            yield
        finally:
            self.banned.discard(auther_id)

    def _verify(self, body: dict[str, Any]) -> dict[str, Any]:
        known = self.passwords.get(str(body.get("id")))
        if known is None:
            return {"valid": False, "scheme": "", "reason": "not_ours"}
        right = known == body.get("password")
        banned = right and body["id"] in self.banned
        reason = "banned" if banned else ""
        return {"valid": right and not banned, "scheme": "native", "reason": reason}

    def _ticket(self, body: dict[str, Any]) -> dict[str, Any]:
        wanted = ("id", "nonce_hash", "client_id", "code_challenge")
        if not all(isinstance(body.get(name), str) for name in wanted):
            raise Refused(400, "bad_request")
        self._known(body)
        if body["id"] in self.banned:
            raise Refused(403, "banned")
        secret = secrets.token_urlsafe(32)
        self.tickets[secret] = Ticket(
            body["id"], body["nonce_hash"], body["client_id"], body["code_challenge"]
        )
        return {"ticket": secret, "expires_in_s": 60}

    def _known(self, body: dict[str, Any]) -> None:
        if body.get("id") not in self.passwords:
            raise Refused(404, "not_ours")


def hash_of(nonce: str) -> str:
    """Give what the application learns of a browser's nonce."""
    return b64url(sha256(nonce.encode()).digest())


def with_query(url: str, **added: str) -> str:
    """Give a URL with more in its query."""
    parts = urlsplit(url)
    query = {**dict(parse_qsl(parts.query, keep_blank_values=True)), **added}
    return urlunsplit(parts._replace(query=urlencode(query)))
