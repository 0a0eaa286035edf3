"""The club: a small Django site of a team that uses django.contrib.auth and got a shim beside it."""

import json

from asgiref.sync import sync_to_async
from auther_dual_path.current import user_of
from auther_dual_path.doors import login_target
from django.contrib import admin
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    alogin,
    authenticate,
    login,
    views,
)
from django.contrib.auth.tokens import default_token_generator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.views.decorators.csrf import csrf_exempt
from people.models import User


def whoami(request: HttpRequest) -> HttpResponse:
    """Say who asks, and by which credential."""
    shim = user_of(request)
    user = str(request.user.pk) if request.user.is_authenticated else None
    return JsonResponse(
        {
            "user": user,
            "credential": shim and shim.credential,
            "auther_id": shim and shim.auther_id,
            "cart": request.session.get("cart"),
        }
    )


class Login(views.LoginView):
    """The login page: Django's own, and a button where this browser signs in at Auther."""

    template_name = "login.html"

    def get_context_data(self, **values: object) -> dict[str, object]:
        """Add where the button leads."""
        target = login_target(self.request, cohort=self.request.GET.get("cohort", ""))
        return super().get_context_data(**values) | {"to_auther": target == "auther"}


@csrf_exempt
def login_by_json(request: HttpRequest) -> HttpResponse:
    """Take what the mobile application sends."""
    sent = json.loads(request.body)
    user = authenticate(request, username=sent["email"], password=sent["password"])
    if user is None:
        return JsonResponse({"error": "wrong"}, status=422)
    login(request, user)
    return JsonResponse({"user": str(user.pk)})


async def whoami_async(request: HttpRequest) -> HttpResponse:
    """Say who asks, in a view that runs in the event loop under ASGI."""
    user = await request.auser()
    return JsonResponse({"user": str(user.pk) if user.is_authenticated else None})


@csrf_exempt
async def login_async(request: HttpRequest) -> HttpResponse:
    """Take what the mobile application sends, in such a view."""
    sent = json.loads(request.body)
    # The club's own backend knows no other way.
    check = sync_to_async(authenticate)
    user = await check(request, username=sent["email"], password=sent["password"])
    if user is None:
        return JsonResponse({"error": "wrong"}, status=422)
    await alogin(request, user)
    return JsonResponse({"user": str(user.pk)})


def impersonate(request: HttpRequest) -> HttpResponse:
    """Sign somebody in as no framework knows it."""
    user = User.objects.get(pk=request.GET["user"])
    request.session[SESSION_KEY] = str(user.pk)
    request.session[BACKEND_SESSION_KEY] = "people.backends.DeviseBackend"
    request.session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    return HttpResponse("done")


def forgot(request: HttpRequest) -> HttpResponse:
    """Give the link that a mail would bring."""
    user = User.objects.get(pk=request.GET["user"])
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return HttpResponse(f"/reset/{uid}/{default_token_generator.make_token(user)}")


def cart(request: HttpRequest) -> HttpResponse:
    """Keep something in the session."""
    request.session["cart"] = request.GET["item"]
    return JsonResponse({})


def notes(request: HttpRequest) -> HttpResponse:
    """Show a form, and take it; CsrfViewMiddleware guards it."""
    if request.method != "POST":
        return render(request, "form.html")
    if not request.user.is_authenticated:
        return JsonResponse({"error": "sign_in"}, status=401)
    return JsonResponse({"by": str(request.user.pk)}, status=201)


def healthz(_: HttpRequest) -> HttpResponse:
    """Say that the process serves."""
    return HttpResponse("ok")


reset = views.PasswordResetConfirmView.as_view(
    template_name="form.html", success_url="/login", post_reset_login=True
)
urlpatterns = [
    path("whoami", whoami),
    path("api/v1/whoami", whoami),
    path("login", Login.as_view(), name="login"),
    path("api/login", login_by_json),
    path("async/whoami", whoami_async),
    path("async/login", login_async),
    path("logout", views.LogoutView.as_view(next_page="/login"), name="logout"),
    path("reset/<uidb64>/<token>", reset),
    path("password", views.PasswordChangeView.as_view(template_name="form.html", success_url="/")),
    path("cart", cart),
    path("impersonate", impersonate),
    path("forgot", forgot),
    path("notes", notes),
    path("admin/", admin.site.urls),
    path("healthz", healthz),
]
