"""The ASGI middleware: decides before the application runs who a request acts for."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Collection
from http import HTTPStatus

from .answers import Response, answer
from .assembly import METRICS_PATH, Assembly, Directory
from .decision import Answer, Decision
from .detection import DetectionControl
from .doors import DoorClosedError, answer_to
from .handle import HANDLE, Handle
from .keys import Fetch
from .model import LegacySessions, Scope, VerificationUnavailableError
from .plumbing import App, Message, Receive, Send, adding, csrf_of, respond, without_cookies
from .request import Request
from .settings import SETTINGS, Environment, Settings

DEFAULT_EXEMPT = ("/logout", "/healthz")


class DualPathMiddleware:
    """Puts `scope["auther.user"]` (a `SignedIn` or None), or answers itself.

    Add it outside of everything that looks at users, and inside of the middleware that makes
    `scope["session"]` when `legacy` needs that.

    Args:
        legacy: Reads the application's own sessions and forgets their user.
        people: Looks people up, e.g. `PostgresPeople(dsn)`.
        login_path: Your login page; gets `?return_to=`.
        exempt: Exact paths that nothing is decided for.
    """

    def __init__(
        self,
        app: App,
        *,
        legacy: LegacySessions,
        people: Directory,
        settings: Settings = SETTINGS,
        environment: Environment | None = None,
        login_path: str = "/login",
        exempt: Collection[str] = DEFAULT_EXEMPT,
        fetch_jwks: Fetch | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        environment = environment or Environment.read()
        self.app = app
        self._exempt = frozenset(exempt)
        self._shim = Assembly(
            people=people,
            legacy=legacy,
            login_path=login_path,
            cookie_secret=environment.cookie_secret,
            settings=settings,
            environment=environment,
            fetch_jwks=fetch_jwks,
            now=now,
        )
        self._legacy = legacy
        self._login_path = login_path
        self._detection = DetectionControl(legacy, self._shim.counters)
        self._runs = False
        # Threads do not survive a fork: each process starts its own at its first request.
        os.register_at_fork(after_in_child=self._not_running)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        with self._shim.process.serving():
            await self._request(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Where the database is away, the first request tries again.
        with contextlib.suppress(VerificationUnavailableError):
            await self._shim.process.begin()
        self._start()

        async def sender(message: Message) -> None:
            # Whoever is told that all has ended may end this process in the next moment.
            if message["type"].startswith("lifespan.shutdown"):
                await self._stop()
            await send(message)

        await self.app(scope, receive, sender)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._runs:
            self._start()
        scope["auther.user"] = None
        request = Request(scope)
        try:
            await self._shim.written_down(request)
            if scope["type"] == "http" and request.path == METRICS_PATH:
                await respond(self._shim.metrics(request), receive, send, request)
                return
            handle = self._shim.handle(request)
        except VerificationUnavailableError as problem:
            await self._stage_unknown(request, problem, receive, send)
            return
        scope[HANDLE] = handle
        await self._serve(handle, receive, send)

    async def _serve(self, handle: Handle, receive: Receive, send: Send) -> None:
        request = handle.request
        if self._shim.sees_control(handle):
            await respond(Response(HTTPStatus.NO_CONTENT), receive, send, request)
            return
        if request.path in self._shim.own_paths:
            own = await self._shim.own_answer(handle, lambda: csrf_of(receive))
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
        request, user = handle.request, decision.user
        if user is not None and user.credential == "session":
            self._shim.background.seen(user.user_pk)
        if decision.drop_cookie:
            await handle.drop_token()
        if decision.forget_legacy:
            handle.headers.extend(await self._legacy.forget(request.scope))
        if self._shim.reaches_application(decision, request):
            request.scope["auther.user"] = user
            await self._pass_on(handle, receive, send, decision)
            return
        response = answer(decision, request, login_path=self._login_path)
        await respond(response, receive, adding(handle.headers, send), request)

    async def _pass_on(
        self, handle: Handle, receive: Receive, send: Send, decision: Decision | None = None
    ) -> None:
        request = handle.request
        alone = decision is not None and decision.answer is Answer.PASS_ALONE
        scope = without_cookies(request.scope) if alone else request.scope
        started = False

        async def sender(message: Message) -> None:
            nonlocal started
            if message["type"] in {"http.response.start", "websocket.accept"}:
                started = True
                self._shim.counters.answered(decision, message.get("status", 0))
                # Read at the last moment: the application may still add some (see doors.py).
                if handle.headers:
                    message = {**message, "headers": [*message.get("headers", ()), *handle.headers]}
            await send(message)

        try:
            await self.app(scope, receive, sender)
        except (DoorClosedError, VerificationUnavailableError) as problem:
            if started:
                raise
            response = answer_to(problem, request)
            self._shim.counters.answered(decision, response.status)
            await respond(response, receive, adding(handle.headers, send), request)
        except Exception:
            if not started:
                self._shim.counters.answered(decision, HTTPStatus.INTERNAL_SERVER_ERROR)
            raise

    async def _stage_unknown(
        self,
        request: Request,
        problem: VerificationUnavailableError,
        receive: Receive,
        send: Send,
    ) -> None:
        if request.path in self._exempt:
            await self.app(request.scope, receive, send)
            return
        await respond(self._shim.stage_unknown(problem, request), receive, send, request)

    def _start(self) -> None:
        self._runs = True
        self._shim.background.start()
        self._detection.start()

    def _not_running(self) -> None:
        self._runs = False

    async def _stop(self) -> None:
        self._runs = False
        self._detection.stop()
        await self._shim.end()
