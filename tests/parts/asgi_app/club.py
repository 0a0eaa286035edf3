"""The club: a small Starlette application of a team that owns its sign-in and got a shim beside it."""

import json
import logging
import os
from urllib.parse import parse_qs

from auther_dual_path import (
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
from club_sessions import COOKIE, ClubSessions
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

logging.basicConfig(level=logging.INFO, format="%(message)s")
logging.getLogger("httpx").setLevel(logging.WARNING)
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
    return PlainTextResponse(login_target(request))


async def sign_in(request: Request) -> Response:
    """Take the legacy form, or the same as JSON from a mobile application."""
    form = await fields(request)
    email, password = form.get("email", ""), form.get("password", "")
    return_to = form.get("return_to", "/me")
    door = "form" if "return_to" in form or "json" not in kind(request) else "json"
    account = await sessions.find(email)
    if account is None or not await password_is_right(
        request,
        account.pk,
        password,
        door=door,
        here=lambda: sessions.password_fits(account, password),
        return_to=return_to,
    ):
        return PlainTextResponse("wrong e-mail or password", status_code=422)
    await admit(request, account.pk, door=door, return_to=return_to)
    answer = RedirectResponse(safe_return_path(return_to), status_code=303)
    answer.set_cookie(COOKIE, await sessions.begin(account), httponly=True, samesite="lax")
    return answer


async def reset(request: Request) -> Response:
    """Follow the link of a reset mail: `token` and the new `password`."""
    form = await fields(request)
    account = await sessions.of_reset_token(form.get("token", ""))
    if account is None:
        return PlainTextResponse("this link is no longer good", status_code=422)
    elsewhere = await reset_at_auther(request, account.pk)
    await sessions.use_reset_token(account, form.get("password", ""), keep_hash=bool(elsewhere))
    return RedirectResponse(elsewhere or "/login", status_code=303)


async def reports(request: Request) -> Response:
    """Answer a robot with a personal token of the club's own."""
    known = request.headers.get("authorization") == "Bearer club-robot"
    cookies = sorted(request.cookies)
    return JSONResponse({"robot": known, "cookies": cookies}, status_code=200 if known else 401)


async def logout(request: Request) -> Response:
    """End both sides' sessions in this browser."""
    await end_auther_session(request)
    await sessions.forget(request.scope)
    return RedirectResponse("/login", status_code=303)


def kind(request: Request) -> str:
    """Give the content type."""
    return request.headers.get("content-type", "")


async def fields(request: Request) -> dict[str, str]:
    """Give what was posted, as a form or as JSON."""
    body = await request.body()
    if "json" in kind(request):
        return dict(json.loads(body))
    return {name: values[-1] for name, values in parse_qs(body.decode()).items()}


async def health(_: Request) -> Response:
    """Say that the process serves."""
    return PlainTextResponse("ok")


app = Starlette(
    routes=[
        Route("/me", me, methods=["GET", "POST"]),
        Route("/login", show_login),
        Route("/login", sign_in, methods=["POST"]),
        Route("/reset", reset, methods=["POST"]),
        Route("/api/reports", reports),
        Route("/logout", logout, methods=["POST"]),
        Route("/healthz", health),
    ],
    middleware=[Middleware(DualPathMiddleware, legacy=sessions, people=PostgresPeople(DSN))],
)
