"""The parts put together, and what they say to one request; the middleware does the rest."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol

from . import browser_login, renewal
from .answers import LOGOUT_PATH, START_PATH, Response, error, unavailable
from .attempt import Attempts
from .auther_api import AutherApi
from .control import HEADER as CONTROL_HEADER
from .control import Control
from .credentials import Credentials
from .decision import Decision, Finding, Kind, decide
from .handle import Handle, Parts
from .keys import Fetch, KeySet
from .large_tokens import TokenStore
from .metrics import Counters
from .model import LargeTokens, People, VerificationUnavailableError
from .request import Request
from .sessions import DjangoDetector
from .settings import SETTINGS, Environment, Settings
from .tokens import TokenVerifier

METRICS_PATH = "/migrator/metrics"
_CONTROL_SEEN = Decision("legacy", "accepted")
_STAGE = "auther"


class Directory(People, LargeTokens, Protocol):
    """Looks people up, keeps large tokens and takes the heartbeat."""

    def beat(self, facts: Mapping[str, Any]) -> None:
        """Say that this instance lives."""
        ...


class Judged(NamedTuple):
    """What a request comes to.

    Attributes:
        detour: Where the browser goes first, to a new token.
    """

    decision: Decision
    finding: Finding
    detour: Response | None


class Assembly:
    """All parts of one shim, without the framework.

    Args:
        cookie_secret: Seals what a login remembers in the browser.
    """

    def __init__(
        self,
        *,
        people: Directory,
        detector: DjangoDetector | None,
        cookie_secret: str,
        settings: Settings = SETTINGS,
        environment: Environment,
        fetch_jwks: Fetch | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        cooldown_s = min(settings.jwks_cooldown_s, environment.jwks_cooldown_s)
        self.settings = settings = replace(settings, jwks_cooldown_s=cooldown_s)
        self._environment = environment
        self._now = now
        self.counters = counters = Counters(self._info)
        self._control = Control(environment.control_secret, now=now)
        self.people = people
        self.detector = detector
        keys = KeySet(
            settings,
            fetch=fetch_jwks,
            on_fetch=lambda result: counters.count("auth_jwks_fetch", result),
        )
        verifier = TokenVerifier(settings, keys, now=now)
        tokens = TokenStore(people)
        credentials = Credentials(
            settings,
            verifier,
            people,
            tokens,
            created=lambda outcome: counters.count("auth_jit", outcome),
        )
        self.parts = Parts(
            settings=settings,
            counters=counters,
            people=people,
            verifier=verifier,
            credentials=credentials,
            tokens=tokens,
            attempts=Attempts(settings, cookie_secret, now=now),
            api=AutherApi(settings, environment),
            login_path=START_PATH,
            now=now,
        )
        self._pages: dict[str, Callable[[Handle], Response]] = {
            START_PATH: browser_login.start,
            settings.callback_path: browser_login.callback,
            LOGOUT_PATH: browser_login.logout,
        }
        self.own_paths = frozenset(self._pages)

    def handle(self, request: Request) -> Handle:
        """Begin with a request."""
        return Handle(request, self.parts)

    def sees_control(self, handle: Handle) -> bool:
        """Tell whether this is the positive control, and count it.

        Before the decision, on the same counting line: it proves that legacy use would be seen.
        """
        marker = handle.request.header(CONTROL_HEADER)
        if not marker or not self._control.accepts(marker):
            return False
        self.counters.decided(_CONTROL_SEEN, _STAGE, synthetic=True)
        return True

    def own_answer(self, handle: Handle) -> Response:
        """Give the answer of one of the shim's own pages, those of `own_paths`."""
        try:
            return self._page(handle.request.path, handle)
        except VerificationUnavailableError as problem:
            return unavailable(problem.retry_after_s)

    def _page(self, path: str, handle: Handle) -> Response:
        if path != LOGOUT_PATH and handle.request.method != "GET":
            return error(HTTPStatus.METHOD_NOT_ALLOWED, "method")
        return self._pages[path](handle)

    def judged(self, handle: Handle) -> Judged:
        """Decide who a request acts for, and count it."""
        request, began_s = handle.request, time.perf_counter()
        finding = self.parts.credentials.examine(request)
        decision = decide(
            finding,
            foreign_passes=finding.kind is Kind.FOREIGN and self._takes_foreign(request.path),
            sees_legacy=self.detector is not None and self.detector.holds_user(request.http),
        )
        waited_s = time.perf_counter() - began_s
        self.counters.decided(
            decision, _STAGE, from_browser=request.is_from_browser, seconds=waited_s
        )
        expired = finding.reason == "expired"
        detour = renewal.offered(handle, finding) if expired else None
        return Judged(decision, finding, detour)

    def metrics(self, request: Request) -> Response:
        """Give the counters to whoever has the token; to anybody else there are none."""
        token = self._environment.metrics_token
        given = request.header("authorization")
        if not token or not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return Response(HTTPStatus.NOT_FOUND)
        kind = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
        return Response(HTTPStatus.OK, self.counters.exposition(), (kind,))

    def facts(self) -> Mapping[str, Any]:
        """Give what this instance reports."""
        return {
            "instance": self._environment.instance_name(),
            "build": self.settings.build,
            "baked": _STAGE,
            "stage": _STAGE,
            "epoch": 0,
            "origin": "baked",
        }

    def _info(self) -> dict[str, str]:
        facts = self.facts().items()
        return {("source" if name == "origin" else name): str(value) for name, value in facts}

    def _takes_foreign(self, path: str) -> bool:
        prefixes = (prefix.rstrip("/") for prefix in self.settings.foreign_paths)
        return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)
