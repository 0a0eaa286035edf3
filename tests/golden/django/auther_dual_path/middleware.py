"""The middleware: decides before a view runs who a request acts for."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, reverse

from . import account_pages, detection, receivers
from .answers import Response, answer, unavailable
from .assembly import METRICS_PATH, Assembly, Judged
from .current import begin, shim
from .decision import Answer, Decision
from .doors import DoorClosedError, answer_to
from .handle import Handle
from .model import Person, SignedIn, VerificationUnavailableError
from .plumbing import act_as, add_headers, http_response, tell_caches, without_cookies
from .repeated import Repeated
from .request import Request

_LOGOUTS = ("logout", "admin:logout")


class DualPathMiddleware:
    """Sets `request.user` and `request.auther_user` (a `SignedIn` or None), or answers itself.

    Its place is right after AuthenticationMiddleware.
    """

    sync_capable = True
    async_capable = False

    def __init__(
        self,
        get_response: Callable[[HttpRequest], HttpResponseBase],
        *,
        parts: Assembly | None = None,
    ) -> None:
        self._get_response = get_response
        self._shim = parts or shim()
        self._exempt = _exempt()
        show_fixture = partial(detection.control, self._shim.parts.legacy, self._shim.counters)
        self._detection = Repeated(show_fixture, every_s=detection.EVERY_S)
        self._runs = False
        # Threads do not survive a fork: each process starts its own at its first request.
        os.register_at_fork(after_in_child=self._not_running)

    def __call__(self, http: HttpRequest) -> HttpResponseBase:
        """Serve one request."""
        if not self._runs:
            self._start()
        with self._shim.process.serving():
            return self._request(http)

    def _request(self, http: HttpRequest) -> HttpResponseBase:
        http.auther_user = None
        try:
            self._shim.written_down(Request(http))
            if http.path == METRICS_PATH:
                return http_response(self._shim.metrics(Request(http)))
            handle = begin(http, self._shim)
        except VerificationUnavailableError as problem:
            if http.path in self._exempt:
                return self._get_response(http)
            return http_response(self._shim.stage_unknown(problem, Request(http)))
        response = self._answer(http, handle)
        # At the last moment: views and what they call may have added some (see doors.py).
        add_headers(response, handle.headers)
        return response

    def process_view(
        self, http: HttpRequest, view: Any, _: tuple[Any, ...], values: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Lead the account pages of people who are at home at Auther there."""
        try:
            elsewhere = account_pages.elsewhere(http, view, values)
        except VerificationUnavailableError as problem:
            return http_response(unavailable(problem.retry_after_s))
        return None if elsewhere is None else http_response(elsewhere)

    def process_exception(self, http: HttpRequest, problem: Exception) -> HttpResponseBase | None:
        """Answer for a door that is closed, or that nobody can tell about now."""
        if isinstance(problem, DoorClosedError | VerificationUnavailableError):
            return http_response(answer_to(problem, Request(http)))
        return None

    def _answer(self, http: HttpRequest, handle: Handle) -> HttpResponseBase:
        if self._shim.sees_control(handle):
            return http_response(Response(HTTPStatus.NO_CONTENT))
        if http.path in self._shim.own_paths:
            return http_response(self._shim.own_answer(handle, lambda: http.POST.get("csrf", "")))
        if http.path in self._exempt:
            return self._get_response(http)
        judged = self._shim.judged(handle)
        if judged.detour is not None:
            return http_response(judged.detour)
        return self._act(http, handle, judged)

    def _act(self, http: HttpRequest, handle: Handle, judged: Judged) -> HttpResponseBase:
        decision, person = judged.decision, judged.finding.person
        user = decision.user
        if user is not None and user.credential == "session":
            self._shim.background.seen(user.user_pk)
        if decision.drop_cookie:
            handle.drop_token()
        if decision.forget_legacy:
            self._shim.parts.legacy.forget(http)
        if not self._shim.reaches_application(decision, handle.request):
            login_path = self._shim.parts.login_path
            return http_response(answer(decision, handle.request, login_path=login_path))
        http.auther_user = user
        if user is not None and person is not None:
            return self._viewed_by_authers(http, decision, user, person)
        if decision.answer is Answer.PASS_ALONE:
            without_cookies(http)
        elif decision.answer is not Answer.PASS:
            act_as(http, AnonymousUser())
        return self._viewed(http, decision)

    def _viewed_by_authers(
        self, http: HttpRequest, decision: Decision, user: SignedIn, person: Person
    ) -> HttpResponseBase:
        by_header = user.credential == "header"
        act_as(http, person.account)
        # No other site can make a browser send our header; cookies it sends by itself.
        http._dont_enforce_csrf_checks = by_header
        response = self._viewed(http, decision)
        tell_caches(response, "Authorization" if by_header else "Cookie")
        return response

    def _viewed(self, http: HttpRequest, decision: Decision) -> HttpResponseBase:
        before = self._shim.parts.legacy.holder(http)
        response = self._get_response(http)
        try:
            receivers.look_for_silent_logins(http, before)
        except (DoorClosedError, VerificationUnavailableError) as problem:
            response = http_response(answer_to(problem, Request(http)))
        self._shim.counters.answered(decision, response.status_code)
        return response

    def _start(self) -> None:
        self._runs = True
        self._shim.background.start()
        self._detection.start()
        atexit.register(self._shim.end)

    def _not_running(self) -> None:
        self._runs = False


def _exempt() -> frozenset[str]:
    paths = list(getattr(settings, "AUTHER_EXEMPT_PATHS", ()))
    for name in _LOGOUTS:
        try:
            paths.append(reverse(name))
        except NoReverseMatch:
            continue
    return frozenset(paths)
