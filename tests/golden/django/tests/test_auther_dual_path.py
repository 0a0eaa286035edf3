"""The decisions that must never change. Needs neither a database nor a network."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, SimpleTestCase

from auther_dual_path.assembly import Assembly
from auther_dual_path.middleware import DualPathMiddleware
from auther_dual_path.model import AccountState, Person, Stage
from auther_dual_path.sessions import DjangoSessions
from auther_dual_path.settings import SETTINGS, Environment
from auther_dual_path.stage import StageView

KEY = Ed25519PrivateKey.generate()
DUAL = StageView(Stage.DUAL, 0, "", 1, False, None, "live")
DRAIN = replace(DUAL, stage=Stage.DRAIN)
PAGE = {"HTTP_ACCEPT": "text/html"}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(sub: str = "alice", **claims: Any) -> str:
    shape = {"iss": SETTINGS.issuers[0], "aud": SETTINGS.audiences[0], "sub": sub}
    body = {**shape, "iat": int(time.time() * 1000), "exp": int(time.time()) + 600, **claims}
    head = {"alg": "EdDSA", "kid": "k"}
    signing_input = ".".join(b64(json.dumps(part).encode()) for part in (head, body))
    return f"{signing_input}.{b64(KEY.sign(signing_input.encode()))}"


def jwks() -> bytes:
    x = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key = {"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": b64(x)}
    return json.dumps({"keys": [key]}).encode()


def no_jwks() -> bytes:
    raise OSError


class Somebody:
    """A user of no database."""

    is_authenticated = is_active = True

    def __init__(self, pk: str) -> None:
        self.pk = pk

    def save(self, **_: Any) -> None: ...


class Everybody:
    """Knows `alice`, `bob` and `locked`, under the same key on both sides."""

    def by_auther_id(self, auther_id: str) -> Person | None:
        if auther_id not in {"alice", "bob", "locked"}:
            return None
        state = AccountState.LOCKED if auther_id == "locked" else AccountState.ACTIVE
        return Person(auther_id, auther_id, "legacy", state=state, account=Somebody(auther_id))

    def by_user_pk(self, user_pk: str) -> Person | None:
        return self.by_auther_id(user_pk)

    def create(self, claims: Any) -> str:
        return "email_taken"

    def not_written_back(self, auther_id: str) -> bool:
        return False

    def signed_in(self, auther_id: str, *, moves_home: bool) -> None: ...

    def shadow_checked(self, user_pk: str, *, matched: bool, reason: str) -> None: ...

    def keep(self, handle_hash: str, sealed: str, expires_at_s: float) -> None: ...

    def find(self, handle_hash: str) -> str | None:
        return None

    def discard(self, handle_hash: str) -> None: ...

    def seen_on_legacy(self, user_pk: str) -> None: ...

    def beat(self, facts: Any) -> None: ...

    def process_began(self, process: Any) -> bool:
        return False

    def process_ended(self, process: Any, counts: str) -> None: ...

    def signed_out_everywhere(self) -> frozenset[str]:
        return frozenset()


class Always:
    """A switch that does not move."""

    def __init__(self, view: StageView) -> None:
        self._view = view

    def now(self) -> StageView:
        return self._view


def whoami(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.user.pk or "-")


def sign_in(request: HttpRequest) -> HttpResponse:
    """Do what `login` does to a session."""
    request.session["_auth_user_id"] = "bob"
    user_logged_in.send(Somebody, request=request, user=Somebody("bob"))
    return HttpResponse("signed in")


def sign_in_silently(request: HttpRequest) -> HttpResponse:
    request.session["_auth_user_id"] = "bob"
    return HttpResponse("signed in")


def shim(view: Any = whoami, *, keys: Any = jwks, stage: StageView = DUAL) -> DualPathMiddleware:
    parts = Assembly(
        people=Everybody(),
        legacy=DjangoSessions(lambda _: AccountState.ACTIVE),
        login_path="/login",
        cookie_secret="a" * 32,
        environment=Environment(),
        fetch_jwks=keys,
    )
    parts.stage = Always(stage)  # type: ignore[assignment]

    def guarded(request: HttpRequest) -> Any:
        # As Django does: the middleware sees what a view raises before it is a response.
        try:
            return view(request)
        except Exception as problem:
            answer = middleware.process_exception(request, problem)
            if answer is None:
                raise
            return answer

    middleware = DualPathMiddleware(guarded, parts=parts)
    return middleware


def made(bearer: str = "", session: str = "", method: str = "get", **meta: str) -> HttpRequest:
    request = getattr(RequestFactory(), method)("/", **meta)
    if bearer:
        request.META["HTTP_AUTHORIZATION"] = f"Bearer {bearer}"
    request.session, request.user = SessionStore(), AnonymousUser()
    request.resolver_match = None
    if session:
        request.session["_auth_user_id"] = session
        request.COOKIES[settings.SESSION_COOKIE_NAME] = "there"
        request.user = Somebody(session)
    return request


class Decisions(SimpleTestCase):
    def ask(self, *, keys: Any = jwks, **sent: str) -> tuple[int, str]:
        answer = shim(keys=keys)(made(**sent))
        return answer.status_code, answer.content.decode()

    def test_sessions_and_tokens_are_accepted_side_by_side(self) -> None:
        self.assertEqual(self.ask(), (200, "-"))
        self.assertEqual(self.ask(session="bob"), (200, "bob"))
        self.assertEqual(self.ask(bearer=token()), (200, "alice"))
        self.assertEqual(self.ask(bearer=token("bob"), session="bob"), (200, "bob"))

    def test_a_token_beside_somebody_elses_session_is_a_conflict(self) -> None:
        answer = self.ask(bearer=token(), session="bob")
        self.assertEqual(answer, (401, '{"error": "auth_conflict"}'))

    def test_a_bad_token_never_falls_through_to_the_session(self) -> None:
        for spoilt in (
            {"exp": 1},
            {"aud": "another"},
            {"exp": None},
            {"sub": None},
            {"nbf": 4_000_000_000},
        ):
            with self.subTest(spoilt):
                answer = self.ask(bearer=token(**spoilt), session="bob")
                self.assertEqual(answer, (401, '{"error": "invalid_token"}'))

    def test_a_token_that_was_touched_is_refused(self) -> None:
        head, body, signature = token().split(".")
        other = token("bob").split(".")[1]
        self.assertEqual(self.ask(bearer=f"{head}.{other}.{signature}")[0], 401)
        self.assertEqual(self.ask(bearer=f"{head}.{body}.{signature}=")[0], 401)

    def test_another_issuers_bearer_is_foreign(self) -> None:
        answer = self.ask(bearer=token(iss="https://elsewhere.example"), session="bob")
        self.assertEqual(answer, (401, '{"error": "foreign_bearer"}'))

    def test_a_locked_account_is_refused(self) -> None:
        answer = self.ask(bearer=token("locked"))
        self.assertEqual(answer, (401, '{"error": "invalid_token"}'))

    def test_nobody_is_linked_by_guessing(self) -> None:
        answer = self.ask(bearer=token("mallory"))
        self.assertEqual(answer, (409, '{"error": "identity_unlinked"}'))

    def test_when_nobody_can_verify_the_answer_is_503(self) -> None:
        answer = self.ask(bearer=token(), session="bob", keys=no_jwks)
        self.assertEqual(answer, (503, '{"error": "verification_unavailable"}'))


class Csrf(SimpleTestCase):
    def test_only_a_header_needs_no_csrf_token(self) -> None:
        by_header, by_cookie = made(bearer=token(), method="post"), made(method="post")
        by_cookie.META["HTTP_COOKIE"] = f"{SETTINGS.cookie('auther_id_token')}={token()}"
        for request, free in ((by_header, True), (by_cookie, False)):
            self.assertEqual(shim()(request).content, b"alice")
            self.assertIs(request._dont_enforce_csrf_checks, free)


class Doors(SimpleTestCase):
    def test_a_login_is_let_in_while_its_stage_says_so(self) -> None:
        for view in (sign_in, sign_in_silently):
            request = made(method="post", **PAGE)
            self.assertEqual(shim(view)(request).content, b"signed in")
            self.assertEqual(request.session["_auth_user_id"], "bob")

    def test_else_the_session_holds_nobody_and_the_browser_goes_to_auther(self) -> None:
        for view in (sign_in, sign_in_silently):
            request = made(method="post", **PAGE)
            answer = shim(view, stage=DRAIN)(request)
            self.assertEqual(answer.status_code, 303)
            self.assertTrue(answer["location"].startswith("/auth/auther/start?"))
            self.assertNotIn("_auth_user_id", request.session)

    def test_a_program_is_told(self) -> None:
        answer = shim(sign_in, stage=DRAIN)(made(method="post"))
        self.assertEqual((answer.status_code, answer.content), (403, b'{"error": "login_moved"}'))
