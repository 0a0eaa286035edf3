"""The club when only Auther signs in."""

from auther_dual_path.current import user_of
from auther_dual_path.permissions import may
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path


def whoami(request: HttpRequest) -> HttpResponse:
    """Say who asks, and what the row of the users' table says."""
    user = user_of(request)
    row = request.user.pk if settings.HAS_USERS else None
    return JsonResponse({"user": user and user.user_pk, "row": row})


def permission(request: HttpRequest) -> HttpResponse:
    """Say whether the caller may edit a document."""
    return JsonResponse({"may": may(request, "edit", "document", request.GET["id"])})


def healthz(_: HttpRequest) -> HttpResponse:
    """Say that the process serves."""
    return HttpResponse("ok")


urlpatterns = [path("whoami", whoami), path("permission", permission), path("healthz", healthz)]
