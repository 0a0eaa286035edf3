"""The club: a small Starlette application of a team that owns its sign-in and got a shim beside it."""

import logging
import os
from urllib.parse import parse_qs

from auther_dual_path import (
    DualPathMiddleware,
    PostgresPeople,
    SignedIn,
    end_auther_session,
    login_completed,
    login_target,
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
    """Take the legacy form."""
    form = {name: values[-1] for name, values in parse_qs((await request.body()).decode()).items()}
    cookie = await sessions.sign_in(form.get("email", ""), form.get("password", ""))
    if cookie is None:
        return PlainTextResponse("wrong e-mail or password", status_code=422)
    await login_completed(request, door="form", side="legacy")
    answer = RedirectResponse(safe_return_path(form.get("return_to", "/me")), status_code=303)
    answer.set_cookie(COOKIE, cookie, httponly=True, samesite="lax")
    return answer


async def logout(request: Request) -> Response:
    """End both sides' sessions in this browser."""
    end_auther_session(request)
    await sessions.forget(request.scope)
    return RedirectResponse("/login", status_code=303)


async def health(_: Request) -> Response:
    """Say that the process serves."""
    return PlainTextResponse("ok")


app = Starlette(
    routes=[
        Route("/me", me, methods=["GET", "POST"]),
        Route("/login", show_login),
        Route("/login", sign_in, methods=["POST"]),
        Route("/logout", logout, methods=["POST"]),
        Route("/healthz", health),
    ],
    middleware=[Middleware(DualPathMiddleware, legacy=sessions, people=PostgresPeople(DSN))],
)
