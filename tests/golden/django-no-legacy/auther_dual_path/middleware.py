"""The middleware: decides before a view runs who a request acts for."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from . import detection
from .answers import START_PATH, Response, answer
from .assembly import METRICS_PATH, Assembly, Judged
from .current import begin, shim
from .decision import Answer
from .handle import Handle
from .plumbing import act_as, add_headers, http_response, tell_caches, without_cookies
from .repeated import Repeated
from .request import Request


class AutherMiddleware:
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
        self._shim = assembly = parts or shim()
        self._exempt = frozenset(getattr(settings, "AUTHER_EXEMPT_PATHS", ()))
        self._beside = [Repeated(self._beat, every_s=assembly.settings.heartbeat_s)]
        if assembly.detector is not None:
            show_fixture = partial(detection.control, assembly.detector, assembly.counters)
            self._beside.append(Repeated(show_fixture, every_s=detection.EVERY_S))
        self._runs = False
        # Threads do not survive a fork: each process starts its own at its first request.
        os.register_at_fork(after_in_child=self._not_running)

    def __call__(self, http: HttpRequest) -> HttpResponseBase:
        """Serve one request."""
        if not self._runs:
            self._start()
        http.auther_user = None
        if http.path == METRICS_PATH:
            return http_response(self._shim.metrics(Request(http)))
        handle = begin(http, self._shim)
        response = self._answer(http, handle)
        # At the last moment: views and what they call may have added some.
        add_headers(response, handle.headers)
        return response

    def _answer(self, http: HttpRequest, handle: Handle) -> HttpResponseBase:
        if self._shim.sees_control(handle):
            return http_response(Response(HTTPStatus.NO_CONTENT))
        if http.path in self._shim.own_paths:
            return http_response(self._shim.own_answer(handle))
        if http.path in self._exempt:
            return self._get_response(http)
        judged = self._shim.judged(handle)
        if judged.detour is not None:
            return http_response(judged.detour)
        return self._act(http, handle, judged)

    def _act(self, http: HttpRequest, handle: Handle, judged: Judged) -> HttpResponseBase:
        decision = judged.decision
        if decision.drop_cookie:
            handle.drop_token()
        if decision.answer not in {Answer.PASS, Answer.PASS_ALONE}:
            return http_response(answer(decision, handle.request, login_path=START_PATH))
        user = http.auther_user = decision.user
        if user is not None and judged.finding.person is not None:
            act_as(http, judged.finding.person.account)
            # No other site can make a browser send our header; cookies it sends by itself.
            http._dont_enforce_csrf_checks = user.credential == "header"
        elif decision.answer is Answer.PASS_ALONE:
            without_cookies(http)
        response = self._get_response(http)
        self._shim.counters.answered(decision, response.status_code)
        if user is not None:
            tell_caches(response, "Authorization" if user.credential == "header" else "Cookie")
        return response

    def _beat(self) -> None:
        self._shim.people.beat(self._shim.facts())

    def _start(self) -> None:
        self._runs = True
        for one in self._beside:
            one.start()

    def _not_running(self) -> None:
        self._runs = False
