"""The ASGI middleware: decides before the application runs who a request acts for."""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Protocol

from . import browser_login, exchange, renewal
from .answers import (
    CONFLICT_PATH,
    EXCHANGE_PATH,
    LOGOUT_PATH,
    START_PATH,
    Response,
    answer,
    conflict_page,
    error,
    redirect,
    unavailable,
    with_return_path,
)
from .attempt import Attempts
from .auther_api import AutherApi
from .background import Background, Writes
from .control import HEADER as CONTROL_HEADER
from .control import Control
from .credentials import Credentials
from .decision import ABSENT, Answer, Decision, Kind, decide
from .detection import DetectionControl
from .doors import DoorClosedError
from .handle import HANDLE, Handle, Parts
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
from .plumbing import (
    App,
    Message,
    Page,
    Receive,
    Send,
    adding,
    form_of,
    only_get,
    or_unavailable,
    respond,
    without_cookies,
)
from .request import Request
from .settings import SETTINGS, Environment, Settings
from .stage import StageReader
from .tokens import TokenVerifier

METRICS_PATH = "/migrator/metrics"
DEFAULT_EXEMPT = ("/logout", "/healthz")
_CONTROL_SEEN = Decision("legacy", "accepted")


class Directory(People, LargeTokens, Writes, Protocol):
    """Looks people up, keeps large tokens and takes the background writes."""


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
        cooldown_s = min(settings.jwks_cooldown_s, environment.jwks_cooldown_s)
        settings = replace(settings, jwks_cooldown_s=cooldown_s)
        self.app = app
        self._environment = environment
        self._settings = settings
        self._exempt = frozenset(exempt)
        self._now = now
        self._counters = Counters(self._info)
        self._stage = StageReader(
            settings, file=environment.stage_file, cache=environment.stage_cache
        )
        self._control = Control(environment.control_secret, now=now)
        self._parts = self._assembled(legacy, people, login_path, fetch_jwks)
        self._own = self._own_pages()
        self._detection = DetectionControl(legacy, self._counters)
        self._background = Background(people, self._facts, heartbeat_s=settings.heartbeat_s)
        self._runs = False
        # Threads do not survive a fork: each process starts its own at its first request.
        os.register_at_fork(after_in_child=self._not_running)

    def _assembled(
        self,
        legacy: LegacySessions,
        people: Directory,
        login_path: str,
        fetch_jwks: Fetch | None,
    ) -> Parts:
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
            legacy=legacy,
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
            login_path=login_path,
            now=self._now,
        )

    def _own_pages(self) -> dict[str, Page]:
        return {
            START_PATH: only_get(browser_login.start),
            self._settings.callback_path: only_get(browser_login.callback),
            EXCHANGE_PATH: only_get(exchange.came_back),
            LOGOUT_PATH: browser_login.logout,
        }

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
        try:
            handle = Handle(request, self._stage.now(), self._parts)
        except VerificationUnavailableError as problem:
            await self._stage_unknown(request, problem, receive, send)
            return
        scope[HANDLE] = handle
        await self._serve(handle, receive, send)

    async def _serve(self, handle: Handle, receive: Receive, send: Send) -> None:
        request, began_s = handle.request, time.perf_counter()
        # Before the decision, on the same counting line: it proves that legacy use would be seen.
        if self._control.accepts(request.header(CONTROL_HEADER)):
            self._counters.decided(_CONTROL_SEEN, handle.view.label, synthetic=True)
            await respond(Response(HTTPStatus.NO_CONTENT), receive, send, request)
            return
        own = self._own.get(request.path)
        if own is not None or request.path == CONFLICT_PATH:
            page = own(handle) if own is not None else self._conflict(handle, receive)
            response = await or_unavailable(page)
            await respond(response, receive, adding(handle.headers, send), request)
            return
        if request.path in self._exempt:
            await self._pass_on(handle, receive, send)
            return
        finding = await self._parts.credentials.examine(
            request, accepts_auther=handle.view.accepts_auther()
        )
        session = await self._session(request.scope)
        decision = decide(
            session,
            finding,
            legacy_is_over=handle.view.legacy_is_over(self._now()),
            foreign_passes=finding.kind is Kind.FOREIGN and self._takes_foreign(request.path),
        )
        waited_s = time.perf_counter() - began_s
        self._counters.decided(
            decision, handle.view.label, from_browser=request.is_from_browser, seconds=waited_s
        )
        detour = None
        if finding.reason == "expired":
            detour = await renewal.offered(handle, finding, session)
        elif finding is ABSENT and decision.user is not None and request.is_top_level_get:
            detour = await exchange.offered(handle, decision.user)
        if detour is not None:
            await respond(detour, receive, adding(handle.headers, send), request)
            return
        await self._act(decision, handle, receive, send)

    async def _session(self, scope: Scope) -> LegacySession | None:
        legacy = self._parts.legacy
        session = await legacy.read(scope) if await legacy.holds_user(scope) else None
        if session is None:
            return None
        signed_out = self._background.signed_out
        if signed_out is None:
            signed_out = await self._background.look_who_is_signed_out()
        if session.user_pk in signed_out:
            return LegacySession(session.user_pk, AccountState.SIGNED_OUT)
        return session

    async def _act(self, decision: Decision, handle: Handle, receive: Receive, send: Send) -> None:
        request, user = handle.request, decision.user
        if user is not None and user.credential == "session":
            self._background.seen(user.user_pk)
        if decision.drop_cookie:
            await handle.drop_token()
        if decision.forget_legacy:
            handle.headers.extend(await self._parts.legacy.forget(request.scope))
        if self._reaches_application(decision, request):
            request.scope["auther.user"] = user
            await self._pass_on(handle, receive, send, alone=decision.answer is Answer.PASS_ALONE)
            return
        response = answer(decision, request, login_path=self._parts.login_path)
        await respond(response, receive, adding(handle.headers, send), request)

    def _reaches_application(self, decision: Decision, request: Request) -> bool:
        if decision.answer is Answer.PASS:
            return True
        if decision.answer in {Answer.LOGIN, Answer.LEGACY_ENDED}:
            # The login page itself must not redirect to the login page.
            return request.path == self._parts.login_path and request.is_navigation
        return decision.answer is Answer.PASS_ALONE

    async def _pass_on(
        self, handle: Handle, receive: Receive, send: Send, *, alone: bool = False
    ) -> None:
        request = handle.request
        scope = without_cookies(request.scope) if alone else request.scope
        started = False

        async def sender(message: Message) -> None:
            nonlocal started
            if message["type"] in {"http.response.start", "websocket.accept"}:
                started = True
                # Read at the last moment: the application may still add some (see doors.py).
                if handle.headers:
                    message = {**message, "headers": [*message.get("headers", ()), *handle.headers]}
            await send(message)

        try:
            await self.app(scope, receive, sender)
        except (DoorClosedError, VerificationUnavailableError) as problem:
            if started:
                raise
            response = _answer_to(problem, request)
            await respond(response, receive, adding(handle.headers, send), request)

    def _takes_foreign(self, path: str) -> bool:
        prefixes = (prefix.rstrip("/") for prefix in self._settings.foreign_paths)
        return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)

    async def _conflict(self, handle: Handle, receive: Receive) -> Response:
        request = handle.request
        if request.method in {"GET", "HEAD"}:
            return conflict_page(self._settings)
        cookie = request.cookie(self._settings.cookie("auther_conflict"))
        sent = (await form_of(receive)).get("csrf", [""])[0]
        good = sent and hmac.compare_digest(cookie.encode(), sent.encode())
        same_origin = request.is_same_origin(self._settings.origin, unsaid=True)
        if request.method != "POST" or not (good and same_origin):
            return error(HTTPStatus.FORBIDDEN, "csrf")
        await handle.drop_token()
        handle.drop_cookie("auther_conflict")
        handle.headers.extend(await self._parts.legacy.forget(request.scope))
        return redirect(self._parts.login_path)

    def _metrics(self, request: Request) -> Response:
        token = self._environment.metrics_token
        given = request.header(b"authorization")
        if not token or not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return Response(HTTPStatus.NOT_FOUND)
        kind = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
        return Response(HTTPStatus.OK, self._counters.exposition(), (kind,))

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
        decision = Decision("none", "unavailable", Answer.UNAVAILABLE.value)
        self._counters.decided(decision, "unknown", from_browser=request.is_from_browser)
        await respond(unavailable(problem.retry_after_s), receive, send, request)

    def _start(self) -> None:
        self._runs = True
        self._background.start()
        self._detection.start()

    def _not_running(self) -> None:
        self._runs = False

    def _stop(self) -> None:
        self._runs = False
        self._background.stop()
        self._detection.stop()

    def _facts(self) -> dict[str, Any] | None:
        try:
            view = self._stage.now()
        except VerificationUnavailableError:
            return None
        return {
            "instance": self._environment.instance_name(),
            "build": self._settings.build,
            "baked": self._settings.baked_stage,
            "stage": str(view.stage),
            "epoch": view.epoch,
            "origin": view.origin,
        }

    def _info(self) -> dict[str, str]:
        facts = self._facts() or {
            "instance": self._environment.instance_name(),
            "build": self._settings.build,
            "baked": self._settings.baked_stage,
            "stage": "unknown",
            "epoch": "0",
            "origin": "none",
        }
        return {("source" if name == "origin" else name): str(v) for name, v in facts.items()}


def _answer_to(
    problem: DoorClosedError | VerificationUnavailableError, request: Request
) -> Response:
    if isinstance(problem, VerificationUnavailableError):
        return unavailable(problem.retry_after_s)
    if request.wants_page:
        return redirect(with_return_path(START_PATH, problem.return_to))
    return error(HTTPStatus.FORBIDDEN, "login_moved")
