"""The parts put together, and what they say to one request; the middleware does the rest."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol

from . import browser_login, exchange, renewal
from .answers import (
    CONFLICT_PATH,
    EXCHANGE_PATH,
    LOGOUT_PATH,
    START_PATH,
    Response,
    error,
    unavailable,
)
from .attempt import Attempts
from .auther_api import AutherApi
from .background import Background, Writes
from .control import HEADER as CONTROL_HEADER
from .control import Control
from .credentials import Credentials
from .decision import ABSENT, Answer, Decision, Finding, Kind, decide
from .handle import Handle, Parts
from .keys import Fetch, KeySet
from .large_tokens import TokenStore
from .metrics import Counters
from .model import (
    AccountState,
    LargeTokens,
    LegacySession,
    LegacySessions,
    People,
    Scope,
    VerificationUnavailableError,
)
from .process import ProcessRows, ThisProcess
from .request import Request
from .settings import SETTINGS, Environment, Settings
from .stage import StageReader
from .tokens import TokenVerifier

METRICS_PATH = "/migrator/metrics"
_CONTROL_SEEN = Decision("legacy", "accepted")


class Directory(People, LargeTokens, Writes, ProcessRows, Protocol):
    """Looks people up, keeps large tokens, takes the background writes and the process's row."""


class Judged(NamedTuple):
    """What a request comes to.

    Attributes:
        detour: Where the browser goes first: to a new token, or to a session at Auther.
    """

    decision: Decision
    finding: Finding
    detour: Response | None


class Assembly:
    """All parts of one shim, without the framework.

    Args:
        cookie_secret: Seals what a login remembers in the browser.
        login_path: The application's login page.
    """

    def __init__(
        self,
        *,
        people: Directory,
        legacy: LegacySessions,
        login_path: str,
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
        self.stage = StageReader(
            settings, file=environment.stage_file, cache=environment.stage_cache
        )
        self.process = process = ThisProcess(people, counters, environment.instance_name)
        self.background = Background(
            people,
            # What is heard of before it is written down would be taken for another process.
            lambda: self.facts() if process.is_known else None,
            heartbeat_s=settings.heartbeat_s,
        )
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
            legacy=legacy,
            verifier=verifier,
            credentials=credentials,
            tokens=tokens,
            attempts=Attempts(settings, cookie_secret, now=now),
            api=AutherApi(settings, environment),
            login_path=login_path,
            now=now,
        )
        self._pages: dict[str, Callable[[Handle], Awaitable[Response]]] = {
            START_PATH: browser_login.start,
            settings.callback_path: browser_login.callback,
            EXCHANGE_PATH: exchange.came_back,
            LOGOUT_PATH: browser_login.logout,
        }
        self.own_paths = frozenset((*self._pages, CONFLICT_PATH))

    def handle(self, request: Request) -> Handle:
        """Begin with a request.

        Raises:
            VerificationUnavailableError: Nobody knows the stage.
        """
        return Handle(request, self.stage.now(), self.parts)

    async def written_down(self, request: Request) -> None:
        """Write this process down, and wait for it where somebody brings a legacy session.

        Raises:
            VerificationUnavailableError: The database does not answer, and there is such a session.
        """
        try:
            await self.process.begin()
        except VerificationUnavailableError:
            if await self.parts.legacy.holds_user(request.scope):
                raise

    async def end(self) -> None:
        """Write down what this process counted; when no request is under way."""
        if await asyncio.to_thread(self.background.stop):
            await self.process.end()

    def sees_control(self, handle: Handle) -> bool:
        """Tell whether this is the positive control, and count it.

        Before the decision, on the same counting line: it proves that legacy use would be seen.
        """
        marker = handle.request.header(CONTROL_HEADER)
        if not marker or not self._control.accepts(marker):
            return False
        self.counters.decided(_CONTROL_SEEN, handle.view.label, synthetic=True)
        return True

    async def own_answer(self, handle: Handle, csrf: Callable[[], Awaitable[str]]) -> Response:
        """Give the answer of one of the shim's own pages, those of `own_paths`.

        Args:
            csrf: Gives the CSRF token of the form that was sent.
        """
        path = handle.request.path
        try:
            if path == CONFLICT_PATH:
                return await browser_login.conflict(handle, csrf)
            return await self._page(path, handle)
        except VerificationUnavailableError as problem:
            return unavailable(problem.retry_after_s)

    async def _page(self, path: str, handle: Handle) -> Response:
        if path != LOGOUT_PATH and handle.request.method != "GET":
            return error(HTTPStatus.METHOD_NOT_ALLOWED, "method")
        return await self._pages[path](handle)

    async def judged(self, handle: Handle) -> Judged:
        """Decide who a request acts for, and count it."""
        request, began_s = handle.request, time.perf_counter()
        finding = await self.parts.credentials.examine(
            request, accepts_auther=handle.view.accepts_auther()
        )
        session = await self._session(request.scope)
        decision = decide(
            session,
            finding,
            legacy_is_over=session is not None and handle.view.legacy_is_over(self._now()),
            foreign_passes=finding.kind is Kind.FOREIGN and self._takes_foreign(request.path),
        )
        waited_s = time.perf_counter() - began_s
        self.counters.decided(
            decision, handle.view.label, from_browser=request.is_from_browser, seconds=waited_s
        )
        detour = None
        if finding.reason == "expired":
            detour = await renewal.offered(handle, finding, session)
        elif finding is ABSENT and decision.user is not None:
            detour = await exchange.offered(handle, decision.user)
        return Judged(decision, finding, detour)

    async def _session(self, scope: Scope) -> LegacySession | None:
        legacy = self.parts.legacy
        session = await legacy.read(scope) if await legacy.holds_user(scope) else None
        if session is None:
            return None
        signed_out = self.background.signed_out
        if signed_out is None:
            signed_out = await self.background.look_who_is_signed_out()
        if session.user_pk in signed_out:
            return LegacySession(session.user_pk, AccountState.SIGNED_OUT)
        return session

    def reaches_application(self, decision: Decision, request: Request) -> bool:
        """Tell whether the application answers this request."""
        if decision.answer is Answer.PASS:
            return True
        if decision.answer in {Answer.LOGIN, Answer.LEGACY_ENDED}:
            # The login page itself must not redirect to the login page.
            return request.path == self.parts.login_path and request.is_navigation
        return decision.answer is Answer.PASS_ALONE

    def stage_unknown(self, problem: VerificationUnavailableError, request: Request) -> Response:
        """Answer where nobody knows the stage."""
        decision = Decision("none", "unavailable", Answer.UNAVAILABLE.value)
        self.counters.decided(decision, "unknown", from_browser=request.is_from_browser)
        return unavailable(problem.retry_after_s)

    def metrics(self, request: Request) -> Response:
        """Give the counters to whoever has the token; to anybody else there are none."""
        token = self._environment.metrics_token
        given = request.header(b"authorization")
        if not token or not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return Response(HTTPStatus.NOT_FOUND)
        kind = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
        return Response(HTTPStatus.OK, self.counters.exposition(), (kind,))

    def facts(self) -> Mapping[str, Any] | None:
        """Give what this instance reports, None while the stage is unknown."""
        try:
            view = self.stage.now()
        except VerificationUnavailableError:
            return None
        return self._facts(str(view.stage), view.epoch, view.origin)

    def _info(self) -> dict[str, str]:
        facts = self.facts() or self._facts("unknown", 0, "none")
        return {("source" if name == "origin" else name): str(v) for name, v in facts.items()}

    def _facts(self, stage: str, epoch: int, origin: str) -> Mapping[str, Any]:
        return {
            "instance": self._environment.instance_name(),
            "build": self.settings.build,
            "baked": self.settings.baked_stage,
            "stage": stage,
            "epoch": epoch,
            "origin": origin,
        }

    def _takes_foreign(self, path: str) -> bool:
        prefixes = (prefix.rstrip("/") for prefix in self.settings.foreign_paths)
        return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)
