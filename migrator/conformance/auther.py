"""Who signs canaries in: the test issuer, or a real Auther."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import httpx

from migrator.conformance.interface import CannotRunError

if TYPE_CHECKING:
    from migrator.conformance.interface import Person
    from migrator.conformance.issuer import Issuer

_TIMEOUT_S = 15
_NAVIGATION = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}


class Auther(Protocol):
    """An identity provider that canaries can sign in at."""

    @property
    def issuer(self) -> Issuer | None:
        """Give the test issuer, None for a real Auther."""
        ...

    def token(self, person: Person) -> str:
        """Give a good id_token."""
        ...

    def enter(self, authorize_url: str, person: Person) -> str:
        """Sign a canary in for an authorization request; give the callback's URL."""
        ...


@dataclass(frozen=True)
class FromTestIssuer:
    """The suite's own issuer."""

    issuer: Issuer

    def token(self, person: Person) -> str:
        """Give a good id_token."""
        return self.issuer.make_token(person.auther_id)

    def enter(self, authorize_url: str, person: Person) -> str:
        """Sign a canary in for an authorization request; give the callback's URL.

        Raises:
            CannotRunError: The issuer does not take the request.
        """
        self.issuer.signed_in_sub = person.auther_id
        try:
            return _location(httpx.Client(trust_env=False), authorize_url)
        finally:
            self.issuer.signed_in_sub = None


def _location(client: httpx.Client, url: str) -> str:
    with client:
        try:
            answer = client.get(url, headers=_NAVIGATION, timeout=_TIMEOUT_S)
        except httpx.HTTPError as error:
            raise CannotRunError(f"the issuer gives no answer ({type(error).__name__})") from None
    if answer.status_code not in {302, 303}:
        raise CannotRunError(f"the issuer refuses the authorization request: {answer.text[:200]}")
    return str(answer.headers["location"])
