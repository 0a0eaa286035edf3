"""The ASGI middleware: decides before the application runs who a request acts for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from http import HTTPStatus

from .answers import START_PATH, Response, answer
from .assembly import METRICS_PATH, Assembly, Directory
from .decision import Answer, Decision
from .detection import DetectionControl
from .handle import HANDLE, Handle
from .heartbeat import Heartbeat
from .keys import Fetch
from .model import LegacyDetector, Scope
from .plumbing import App, Message, Receive, Send, adding, respond, without_cookies
from .request import Request
from .settings import SETTINGS, Environment, Settings

DEFAULT_EXEMPT = ("/logout", "/healthz")


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
        self.app = app
        self._exempt = frozenset(exempt)
        self._shim = shim = Assembly(
            people=people,
            detector=detector,
            cookie_secret=environment.cookie_secret,
            settings=settings,
            environment=environment,
            fetch_jwks=fetch_jwks,
            now=now,
        )
        self._beside: list[DetectionControl | Heartbeat] = [
            Heartbeat(lambda: people.beat(shim.facts()), every_s=settings.heartbeat_s)
        ]
        if detector is not None:
            self._beside.append(DetectionControl(detector, shim.counters))
        self._runs = False
        # Tasks do not survive a fork: each process starts its own at its first request.
        os.register_at_fork(after_in_child=self._not_running)

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
            await respond(self._shim.metrics(request), receive, send, request)
            return
        handle = self._shim.handle(request)
        scope[HANDLE] = handle
        await self._serve(handle, receive, send)

    async def _serve(self, handle: Handle, receive: Receive, send: Send) -> None:
        request = handle.request
        if self._shim.sees_control(handle):
            await respond(Response(HTTPStatus.NO_CONTENT), receive, send, request)
            return
        if request.path in self._shim.own_paths:
            own = await self._shim.own_answer(handle)
            await respond(own, receive, adding(handle.headers, send), request)
            return
        if request.path in self._exempt:
            await self._pass_on(handle, receive, send)
            return
        decision, _, detour = await self._shim.judged(handle)
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
            await self._pass_on(handle, receive, send, decision)
            return
        response = answer(decision, request, login_path=START_PATH)
        await respond(response, receive, adding(handle.headers, send), request)

    async def _pass_on(
        self, handle: Handle, receive: Receive, send: Send, decision: Decision | None = None
    ) -> None:
        alone = decision is not None and decision.answer is Answer.PASS_ALONE
        scope = without_cookies(handle.request.scope) if alone else handle.request.scope
        started = False

        async def sender(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._shim.counters.answered(decision, message["status"])
            await send(message)

        try:
            await self.app(scope, receive, adding(handle.headers, sender))
        except Exception:
            if not started:
                self._shim.counters.answered(decision, HTTPStatus.INTERNAL_SERVER_ERROR)
            raise

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
