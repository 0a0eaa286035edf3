"""Finds Auther's credential in a request and says what it is worth."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal

from .decision import ABSENT, OTHER_SCHEME, Finding, Kind, Place
from .large_tokens import TokenStore
from .model import People, Person, VerificationUnavailableError
from .request import Request
from .settings import Settings
from .tokens import Claims, SentToken, TokenRefusedError, TokenVerifier, refusal_of

TOKEN_COOKIE = "auther_id_token"
DOUBLED = Finding(Kind.FORGED, "header", "malformed")
FOREIGN = Finding(Kind.FOREIGN, "header", "foreign_bearer")
_log = logging.getLogger(__name__)


class Credentials:
    """Examines the Authorization header, and the cookie where there is none.

    Args:
        created: Told what came of each attempt to make a row for an unknown `sub`.
    """

    def __init__(
        self,
        settings: Settings,
        verifier: TokenVerifier,
        people: People,
        store: TokenStore,
        *,
        created: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._verifier = verifier
        self._people = people
        self._store = store
        self._created = created
        self._cookie_name = settings.cookie(TOKEN_COOKIE)

    async def examine(self, request: Request) -> Finding:
        """Give what came of it; every doubt is a refusal, every outage `UNAVAILABLE`."""
        headers = request.headers(b"authorization")
        if len(headers) > 1:
            # One reader would take the first, another the last: nobody gets to choose.
            return DOUBLED
        if not headers:
            return await self.in_cookie(request)
        scheme, _, rest = headers[0].strip().partition(" ")
        if scheme.lower() == "bearer":
            return await self._bearer(rest.strip())
        return OTHER_SCHEME

    async def _bearer(self, text: str) -> Finding:
        token = SentToken(text)
        known = self._verifier.known(token)
        # Too large to be looked into is refused as ours: the size alone says no.
        looked_into = known is None and len(text) <= self._settings.max_token_bytes
        if looked_into and token.claimed_issuer() not in self._settings.issuers:
            return FOREIGN
        try:
            return await self._who(known or await self._verifier.verify(token), "header")
        except (TokenRefusedError, VerificationUnavailableError) as problem:
            return _finding_of(problem, "header")

    async def in_cookie(self, request: Request) -> Finding:
        """Give what the cookie alone is worth."""
        values = request.cookies(self._cookie_name)
        if not values:
            return ABSENT
        if len(values) > 1:
            return Finding(Kind.FORGED, "cookie", "malformed")
        try:
            token = SentToken(await self._store.opened(values[0]))
            known = self._verifier.known(token)
            return await self._who(known or await self._verifier.verify(token), "cookie")
        except (TokenRefusedError, VerificationUnavailableError) as problem:
            return _finding_of(problem, "cookie")

    async def _who(self, claims: Claims, place: Place) -> Finding:
        person = await self._people.by_auther_id(claims["sub"]) or await self._newcomer(claims)
        if isinstance(person, str):
            kind = Kind.DISABLED if person == "disabled" else Kind.UNLINKED
            return Finding(kind, place, person)
        refusal = refusal_of(person, claims)
        if refusal:
            kind = Kind.STALE if refusal == "revoked" else Kind.DISABLED
            return Finding(kind, place, refusal, claims=claims)
        return Finding(Kind.VALID, place, "", person, claims)

    async def person_of(self, claims: Claims) -> Person | Literal["disabled", "identity_unlinked"]:
        """Give whom verified claims are about, made now if settings say so, or why nobody.

        Raises:
            VerificationUnavailableError: The database does not answer.
        """
        return await self._people.by_auther_id(claims["sub"]) or await self._newcomer(claims)

    async def _newcomer(self, claims: Claims) -> Person | Literal["disabled", "identity_unlinked"]:
        email = claims.get("email")
        if not (self._settings.create_users and isinstance(email, str) and email):
            return "identity_unlinked"
        outcome = await self._people.create(claims)
        self._created(outcome)
        if outcome == "tombstone":
            return "disabled"
        # Somebody else has the address, or a column wants a value: a person has to look at it.
        return await self._people.by_auther_id(claims["sub"]) or "identity_unlinked"


def _finding_of(problem: TokenRefusedError | VerificationUnavailableError, place: Place) -> Finding:
    if isinstance(problem, VerificationUnavailableError):
        _log.warning("credentials cannot be verified now: %s", problem.reason)
        return Finding(Kind.UNAVAILABLE, place, retry_after_s=problem.retry_after_s)
    kind = Kind.STALE if problem.stale else Kind.FORGED
    return Finding(kind, place, problem.reason, claims=problem.claims)
