"""A running Auther: canaries sign in there with their own passwords."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from migrator.auther.live.doctor.asking import NAVIGATION, Asker
from migrator.auther.live.doctor.interface import Account, NoAnswerError, Setting
from migrator.auther.live.doctor.visit import Visit
from migrator.conformance.interface import CannotRunError, Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.core.clock import Clock

T = TypeVar("T")


@dataclass
class RealAuther:
    """Signs each canary in once, and gives its one id_token from then on.

    Attributes:
        issuer: None: it signs nothing to order.
    """

    base_url: str
    client_id: str
    redirect_uri: str
    clock: Clock
    issuer: None = None
    _visits: dict[str, Visit] = field(default_factory=dict)

    def token(self, person: Person) -> str:
        """Give a good id_token.

        Raises:
            CannotRunError: Auther does not sign the canary in, or gives no token.
        """
        return _answered(person, lambda: self._visit(person).tokens().text)

    def enter(self, authorize_url: str, person: Person) -> str:
        """Sign a canary in for an authorization request; give the callback's URL.

        Raises:
            CannotRunError: Auther does not, or asks for more than a password.
        """
        location = self._authorize(authorize_url, person)
        if not location.startswith(self.redirect_uri):
            # A logout at the application has ended the session at Auther too.
            self._visits.pop(person.name).asker.close()
            location = self._authorize(authorize_url, person)
        if not location.startswith(self.redirect_uri):
            raise CannotRunError(
                f"Auther does not send {person.name} back to the application: see client and consent"
            )
        return location

    def _authorize(self, url: str, person: Person) -> str:
        visit = self._visit(person)
        return _answered(
            person,
            lambda: visit.asker.ask("GET", url, headers=NAVIGATION, cookies=visit.session()),
        ).location

    def leave(self) -> None:
        """End the canaries' sessions."""
        for visit in self._visits.values():
            visit.leave()
            visit.asker.close()

    def _visit(self, person: Person) -> Visit:
        if person.name not in self._visits:
            setting = Setting(
                base_url=self.base_url,
                api=f"{self.base_url}/api/auth",
                client_id=self.client_id,
                redirect_uri=self.redirect_uri,
                issuers=(),
                audiences=(),
                canary=Account(person.email, person.password),
            )
            self._visits[person.name] = Visit(setting, Asker(self.base_url), self.clock)
        return self._visits[person.name]


def _answered(person: Person, ask: Callable[[], T]) -> T:
    try:
        return ask()
    except NoAnswerError as error:
        raise CannotRunError(f"{person.name} at Auther: {error}") from None
