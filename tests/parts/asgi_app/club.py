"""The club: a small Starlette application of a team that owns its sign-in and got a shim beside it."""

import hmac
import logging
import os
import secrets
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


async def sign_in_by_json(request: Request) -> Response:
    """Take what the mobile application sends."""
    body = await request.json()
    cookie = await sessions.sign_in(body["email"], body["password"])
    if cookie is None:
        return JSONResponse({"error": "wrong e-mail or password"}, status_code=401)
    await login_completed(request, door="json", side="legacy")
    answer = JSONResponse({"signed_in": True}, status_code=201)
    answer.set_cookie(COOKIE, cookie, httponly=True, samesite="lax")
    return answer


async def show_notes(request: Request) -> Response:
    """Show the form; its token is in a cookie too."""
    token = request.cookies.get(CSRF_COOKIE) or secrets.token_urlsafe(16)
    page = HTMLResponse(
        f'<form method="post"><input type="hidden" name="csrf" value="{token}"></form>'
    )
    page.set_cookie(CSRF_COOKIE, token, httponly=True, samesite="strict")
    return page


async def note(request: Request) -> Response:
    """Take a note; what a browser sends by itself needs the form's token."""
    form = {name: values[-1] for name, values in parse_qs((await request.body()).decode()).items()}
    user: SignedIn | None = request.scope["auther.user"]
    kept = request.cookies.get(CSRF_COOKIE, "")
    is_ours = bool(kept) and hmac.compare_digest(kept.encode(), form.get("csrf", "").encode())
    if not is_ours and (user is None or user.credential != "header"):
        return JSONResponse({"error": "csrf"}, status_code=403)
    if user is None:
        return JSONResponse({"error": "sign in first"}, status_code=401)
    return JSONResponse({"by": user.user_pk}, status_code=201)


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
        # Where clients with tokens of their own come; nobody has issued any yet.
        Route("/api/me", me),
        Route("/login", show_login),
        Route("/login", sign_in, methods=["POST"]),
        Route("/sessions", sign_in_by_json, methods=["POST"]),
        Route("/notes", show_notes),
        Route("/notes", note, methods=["POST"]),
        Route("/logout", logout, methods=["POST"]),
        Route("/healthz", health),
    ],
    middleware=[Middleware(DualPathMiddleware, legacy=sessions, people=PostgresPeople(DSN))],
)
