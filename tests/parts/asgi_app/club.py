"""The club: a small Starlette application of a team that owns its sign-in and got a shim beside it."""

import contextlib
import logging
import os
import secrets
from typing import Any
from urllib.parse import parse_qs

from auther_dual_path import (
    DoorClosedError,
    DualPathMiddleware,
    PostgresPeople,
    SignedIn,
    admit,
    end_auther_session,
    login_target,
    password_is_right,
    reset_at_auther,
    safe_return_path,
)
from club_sessions import COOKIE, REMEMBER_COOKIE, Account, ClubSessions, session_cookie
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route

logging.basicConfig(level=logging.INFO, format="%(message)s")
logging.getLogger("httpx").setLevel(logging.WARNING)
CSRF_COOKIE = "club_csrf"
DSN = os.environ["DATABASE_URL"]
sessions = ClubSessions(DSN, pepper=os.environ.get("DEVISE_PEPPER", ""))


async def me(request: Request) -> Response:
    """Say who asks, and by which credential."""
    user: SignedIn | None = request.scope["auther.user"]
    if user is None:
        return JSONResponse({"user": None})
    return JSONResponse(
        {"user": user.user_pk, "credential": user.credential, "auther_id": user.auther_id}
    )


async def show_login(request: Request) -> Response:
    """Show where this browser signs in."""
    return PlainTextResponse(login_target(request, cohort=request.query_params.get("cohort", "")))


async def sign_in(request: Request) -> Response:
    """Take the legacy form."""
    form = await fields(request)
    return_to = form.get("return_to", "/me")
    account = await verified(request, form, door="form")
    if account is None:
        return PlainTextResponse("wrong e-mail or password", status_code=422)
    await admit(request, account.pk, door="form", return_to=return_to)
    answer = RedirectResponse(safe_return_path(return_to), status_code=303)
    answer.set_cookie(COOKIE, await sessions.begin(account.pk), httponly=True, samesite="lax")
    if form.get("remember"):
        remembered = sessions.remember_cookie(account)
        answer.set_cookie(REMEMBER_COOKIE, remembered, httponly=True, samesite="lax")
    return answer


async def broken(request: Request) -> Response:
    """Fail, in one way or the other."""
    if "quietly" in request.query_params:
        return PlainTextResponse("broken", status_code=502)
    raise RuntimeError


async def sign_in_by_json(request: Request) -> Response:
    """Take what the mobile application sends."""
    account = await verified(request, await request.json(), door="json")
    if account is None:
        return JSONResponse({"error": "wrong"}, status_code=422)
    await admit(request, account.pk, door="json")
    answer = JSONResponse({"user": account.pk}, status_code=201)
    answer.set_cookie(COOKIE, await sessions.begin(account.pk), httponly=True, samesite="lax")
    return answer


async def verified(request: Request, form: dict[str, str], *, door: str) -> Account | None:
    """Give whose password this is."""
    email, password = form.get("email", ""), form.get("password", "")
    account = await sessions.find(email)
    if account is None:
        return None
    right = await password_is_right(
        request,
        account.pk,
        password,
        door=door,
        here=lambda: sessions.password_fits(account, password),
        return_to=form.get("return_to", "/me"),
    )
    return account if right else None


async def reset(request: Request) -> Response:
    """Follow the link of a reset mail: `token` and the new `password`."""
    form = await fields(request)
    account = await sessions.of_reset_token(form.get("token", ""))
    if account is None:
        return PlainTextResponse("this link is no longer good", status_code=422)
    elsewhere = await reset_at_auther(request, account.pk)
    await sessions.use_reset_token(account, form.get("password", ""), keep_hash=bool(elsewhere))
    return RedirectResponse(elsewhere or "/login", status_code=303)


async def api_me(request: Request) -> Response:
    """Say who asks; robots come with a token of the club's own."""
    user: SignedIn | None = request.scope["auther.user"]
    robot = request.headers.get("authorization") == "Bearer club-robot"
    named = user.user_pk if user else None
    # What another authenticator would find beside its bearer.
    beside = await sessions.holds_user(request.scope)
    return JSONResponse({"user": named, "robot": robot, "beside": beside})


async def show_notes(_: Request) -> Response:
    """Show a form that CSRF protection guards."""
    token = secrets.token_hex(16)
    page = HTMLResponse(f'<form method="post"><input name="csrf" value="{token}"></form>')
    page.set_cookie(CSRF_COOKIE, token, httponly=True, samesite="strict")
    return page


async def take_note(request: Request) -> Response:
    """Take it: a token in the header needs no other protection, a browser's cookies do."""
    user: SignedIn | None = request.scope["auther.user"]
    sent, kept = (await fields(request)).get("csrf", ""), request.cookies.get(CSRF_COOKIE, "")
    guarded = user is None or user.credential != "header"
    if guarded and not (sent and secrets.compare_digest(sent, kept)):
        return JSONResponse({"error": "csrf"}, status_code=403)
    if user is None:
        return JSONResponse({"error": "sign in first"}, status_code=401)
    return JSONResponse({"by": user.user_pk}, status_code=201)


async def logout(request: Request) -> Response:
    """End both sides' sessions in this browser."""
    await end_auther_session(request)
    await sessions.forget(request.scope)
    return RedirectResponse("/login", status_code=303)


async def fields(request: Request) -> dict[str, str]:
    """Give the fields of a form."""
    body = (await request.body()).decode()
    return {name: values[-1] for name, values in parse_qs(body).items()}


async def health(_: Request) -> Response:
    """Say that the process serves."""
    return PlainTextResponse("ok")


class Remembering:
    """Makes a session of a remember-me cookie, as long as sessions are made at all."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        user: SignedIn | None = scope.get("auther.user")
        if user is None or user.credential != "session" or session_cookie(scope):
            await self.app(scope, receive, send)
            return
        with contextlib.suppress(DoorClosedError):
            await admit(scope, user.user_pk, door="remember_me")
            made = f"{COOKIE}={await sessions.begin(user.user_pk)}; Path=/; HttpOnly; SameSite=Lax"
            send = adding((b"set-cookie", made.encode()), send)
        await self.app(scope, receive, send)


def adding(header: tuple[bytes, bytes], send: Any) -> Any:
    """Give a `send` that adds a header to the response."""

    async def sender(message: Any) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), header]}
        await send(message)

    return sender


app = Starlette(
    routes=[
        Route("/me", me, methods=["GET", "POST"]),
        Route("/login", show_login),
        Route("/login", sign_in, methods=["POST"]),
        Route("/reset", reset, methods=["POST"]),
        Route("/sessions", sign_in_by_json, methods=["POST"]),
        Route("/notes", show_notes),
        Route("/notes", take_note, methods=["POST"]),
        Route("/api/me", api_me),
        Route("/logout", logout, methods=["POST"]),
        Route("/healthz", health),
        Route("/broken", broken),
    ],
    middleware=[
        Middleware(DualPathMiddleware, legacy=sessions, people=PostgresPeople(DSN)),
        Middleware(Remembering),
    ],
)
