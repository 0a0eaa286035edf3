"""The ASGI middleware: decides before the application runs who a request acts for."""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Protocol

from . import browser_login, renewal
from .answers import LOGOUT_PATH, START_PATH, Response, answer
from .attempt import Attempts
from .auther_api import AutherApi
from .control import HEADER as CONTROL_HEADER
from .control import Control
from .credentials import Credentials
from .decision import Answer, Decision, Kind, decide
from .detection import DetectionControl
from .handle import HANDLE, Handle, Parts
from .heartbeat import Heartbeat
from .keys import Fetch, KeySet
from .large_tokens import TokenStore
from .metrics import Counters
from .model import LargeTokens, LegacyDetector, People, Scope
from .plumbing import (
    App,
    Receive,
    Send,
    adding,
    only_get,
    or_unavailable,
    respond,
    without_cookies,
)
from .request import Request
from .settings import SETTINGS, Environment, Settings
from .tokens import TokenVerifier

METRICS_PATH = "/migrator/metrics"
DEFAULT_EXEMPT = ("/logout", "/healthz")
_STAGE = "auther"
_CONTROL_SEEN = Decision("legacy", "accepted")


class Directory(People, LargeTokens, Protocol):
    """Looks people up, keeps large tokens and takes the heartbeat."""

    async def beat(self, facts: Mapping[str, Any]) -> None:
        """Say that this instance lives."""
        ...


class AutherMiddleware:
    """Puts `scope["auther.user"]` (a `SignedIn` or None), or answers itself.

    Add it outside of everything that looks at users.

    Args:
        people: Looks people up, e.g. `PostgresPeople(dsn)`.
        detector: Sees sign-ins of a legacy side that is gone, until nobody has any.
        exempt: Exact paths that nothing is decided for.
    """

    def __init__(
        self,
        app: App,
        *,
        people: Directory,
        detector: LegacyDetector | None = None,
        settings: Settings = SETTINGS,
        environment: Environment | None = None,
        exempt: Collection[str] = DEFAULT_EXEMPT,
        fetch_jwks: Fetch | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        environment = environment or Environment.read()
        cooldown_s = min(settings.jwks_cooldown_s, environment.jwks_cooldown_s)
        settings = replace(settings, jwks_cooldown_s=cooldown_s)
        self.app = app
        self._environment = environment
        self._settings = settings
        self._exempt = frozenset(exempt)
        self._now = now
        self._counters = Counters(self._info)
        self._control = Control(environment.control_secret, now=now)
        self._parts = self._assembled(people, fetch_jwks)
        self._own = {
            START_PATH: only_get(browser_login.start),
            settings.callback_path: only_get(browser_login.callback),
            LOGOUT_PATH: browser_login.logout,
        }
        self._detector = detector
        self._beside: list[DetectionControl | Heartbeat] = [
            Heartbeat(lambda: people.beat(self._facts()), every_s=settings.heartbeat_s)
        ]
        if detector is not None:
            self._beside.append(DetectionControl(detector, self._counters))
        self._runs = False
        # Tasks do not survive a fork: each process starts its own at its first request.
        os.register_at_fork(after_in_child=self._not_running)

    def _assembled(self, people: Directory, fetch_jwks: Fetch | None) -> Parts:
        settings, counters = self._settings, self._counters
        keys = KeySet(
            settings,
            fetch=fetch_jwks,
            on_fetch=lambda result: counters.count("auth_jwks_fetch", result),
        )
        verifier = TokenVerifier(settings, keys, now=self._now)
        tokens = TokenStore(people)
        return Parts(
            settings=settings,
            counters=counters,
            people=people,
            verifier=verifier,
            credentials=Credentials(
                settings,
                verifier,
                people,
                tokens,
                created=lambda outcome: counters.count("auth_jit", outcome),
            ),
            tokens=tokens,
            attempts=Attempts(settings, self._environment.cookie_secret, now=self._now),
            api=AutherApi(settings, self._environment),
            login_path=START_PATH,
            now=self._now,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if not self._runs:
            self._start()
        if scope["type"] == "lifespan":
            try:
                await self.app(scope, receive, send)
            finally:
                self._stop()
            return
        scope["auther.user"] = None
        request = Request(scope)
        if scope["type"] == "http" and request.path == METRICS_PATH:
            await respond(self._metrics(request), receive, send, request)
            return
        handle = Handle(request, self._parts)
        scope[HANDLE] = handle
        await self._serve(handle, receive, send)

    async def _serve(self, handle: Handle, receive: Receive, send: Send) -> None:
        request, began_s = handle.request, time.perf_counter()
        # Before the decision, on the same counting line: it proves that legacy use would be seen.
        if self._control.accepts(request.header(CONTROL_HEADER)):
            self._counters.decided(_CONTROL_SEEN, _STAGE, synthetic=True)
            await respond(Response(HTTPStatus.NO_CONTENT), receive, send, request)
            return
        own = self._own.get(request.path)
        if own is not None:
            response = await or_unavailable(own(handle))
            await respond(response, receive, adding(handle.headers, send), request)
            return
        if request.path in self._exempt:
            await self._pass_on(handle, receive, send)
            return
        finding = await self._parts.credentials.examine(request)
        decision = decide(
            finding,
            foreign_passes=finding.kind is Kind.FOREIGN and self._takes_foreign(request.path),
            sees_legacy=self._detector is not None
            and await self._detector.holds_user(request.scope),
        )
        waited_s = time.perf_counter() - began_s
        self._counters.decided(
            decision, _STAGE, from_browser=request.is_from_browser, seconds=waited_s
        )
        detour = None
        if finding.reason == "expired":
            detour = await renewal.offered(handle, finding)
        if detour is not None:
            await respond(detour, receive, adding(handle.headers, send), request)
            return
        await self._act(decision, handle, receive, send)

    async def _act(self, decision: Decision, handle: Handle, receive: Receive, send: Send) -> None:
        request = handle.request
        if decision.drop_cookie:
            await handle.drop_token()
        if decision.answer in {Answer.PASS, Answer.PASS_ALONE}:
            request.scope["auther.user"] = decision.user
            await self._pass_on(handle, receive, send, alone=decision.answer is Answer.PASS_ALONE)
            return
        response = answer(decision, request, login_path=self._parts.login_path)
        await respond(response, receive, adding(handle.headers, send), request)

    async def _pass_on(
        self, handle: Handle, receive: Receive, send: Send, *, alone: bool = False
    ) -> None:
        scope = handle.request.scope
        await self.app(
            without_cookies(scope) if alone else scope, receive, adding(handle.headers, send)
        )

    def _takes_foreign(self, path: str) -> bool:
        prefixes = (prefix.rstrip("/") for prefix in self._settings.foreign_paths)
        return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)

    def _metrics(self, request: Request) -> Response:
        token = self._environment.metrics_token
        given = request.header(b"authorization")
        if not token or not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return Response(HTTPStatus.NOT_FOUND)
        kind = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
        return Response(HTTPStatus.OK, self._counters.exposition(), (kind,))

    def _start(self) -> None:
        self._runs = True
        for one in self._beside:
            one.start()

    def _not_running(self) -> None:
        self._runs = False

    def _stop(self) -> None:
        self._runs = False
        for one in self._beside:
            one.stop()

    def _facts(self) -> dict[str, Any]:
        return {
            "instance": self._environment.instance_name(),
            "build": self._settings.build,
            "baked": _STAGE,
            "stage": _STAGE,
            "epoch": 0,
            "origin": "baked",
        }

    def _info(self) -> dict[str, str]:
        facts = self._facts().items()
        return {("source" if name == "origin" else name): str(value) for name, value in facts}
