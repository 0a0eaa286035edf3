"""Finds Auther's credential in a request and says what it is worth."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Literal

from .decision import ABSENT, OTHER_SCHEME, Finding, Kind, Place
from .large_tokens import TokenStore
from .model import People, Person, VerificationUnavailableError
from .request import Request
from .settings import Settings
from .tokens import Claims, TokenRefusedError, TokenVerifier, claimed_issuer, issued_at_s

TOKEN_COOKIE = "auther_id_token"
DOUBLED = Finding(Kind.FORGED, "header", "malformed")
FOREIGN = Finding(Kind.FOREIGN, "header", "foreign_bearer")
# WSGI servers join two headers with a comma: then another scheme's name follows.
_JOINED = re.compile(r"\s*bearer\s.*,\s*[\w-]+\s|.*,\s*bearer\b", re.IGNORECASE)
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

    def examine(self, request: Request) -> Finding:
        """Give what came of it; every doubt is a refusal, every outage `UNAVAILABLE`."""
        headers = request.headers("authorization")
        if headers and _JOINED.match(headers[0]):
            # One reader would take the first, another the last: nobody gets to choose.
            return DOUBLED
        if not headers:
            return self.in_cookie(request)
        scheme, _, rest = headers[0].strip().partition(" ")
        if scheme.lower() == "bearer":
            return self._bearer(rest.strip())
        return OTHER_SCHEME

    def _bearer(self, token: str) -> Finding:
        known = self._verifier.known(token)
        if known is not None:
            return self._judge(token, "header", known)
        # Too large to be looked into is refused as ours: the size alone says no.
        small = len(token) <= self._settings.max_token_bytes
        if small and claimed_issuer(token) not in self._settings.issuers:
            return FOREIGN
        return self._judge(token, "header")

    def in_cookie(self, request: Request) -> Finding:
        """Give what the cookie alone is worth."""
        values = request.cookies(self._cookie_name)
        if not values:
            return ABSENT
        if len(values) > 1:
            return Finding(Kind.FORGED, "cookie", "malformed")
        return self._judge(values[0], "cookie")

    def _judge(self, value: str, place: Place, known: Claims | None = None) -> Finding:
        try:
            return self._who(known or self._claims(value, place), place)
        except TokenRefusedError as error:
            kind = Kind.STALE if error.stale else Kind.FORGED
            return Finding(kind, place, error.reason, claims=error.claims)
        except VerificationUnavailableError as error:
            _log.warning("credentials cannot be verified now: %s", error.reason)
            return Finding(Kind.UNAVAILABLE, place, retry_after_s=error.retry_after_s)

    def _claims(self, value: str, place: Place) -> Claims:
        token = value if place == "header" else self._store.opened(value)
        return self._verifier.known(token) or self._verifier.verify(token)

    def _who(self, claims: Claims, place: Place) -> Finding:
        person = self._people.by_auther_id(claims["sub"]) or self._newcomer(claims)
        if isinstance(person, str):
            kind = Kind.DISABLED if person == "disabled" else Kind.UNLINKED
            return Finding(kind, place, person)
        refusal = person.refusal(issued_at_s(claims))
        if refusal:
            kind = Kind.STALE if refusal == "revoked" else Kind.DISABLED
            return Finding(kind, place, refusal, claims=claims)
        return Finding(Kind.VALID, place, person=person, claims=claims)

    def person_of(self, claims: Claims) -> Person | Literal["disabled", "identity_unlinked"]:
        """Give whom verified claims are about, made now if settings say so, or why nobody.

        Raises:
            VerificationUnavailableError: The database does not answer.
        """
        return self._people.by_auther_id(claims["sub"]) or self._newcomer(claims)

    def _newcomer(self, claims: Claims) -> Person | Literal["disabled", "identity_unlinked"]:
        email = claims.get("email")
        if not (self._settings.create_users and isinstance(email, str) and email):
            return "identity_unlinked"
        outcome = self._people.create(claims)
        self._created(outcome)
        if outcome == "tombstone":
            return "disabled"
        # Somebody else has the address, or a column wants a value: a person has to look at it.
        return self._people.by_auther_id(claims["sub"]) or "identity_unlinked"
