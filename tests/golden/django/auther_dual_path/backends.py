"""Checks a password where this person's password is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from .doors import password_at_auther
from .receivers import OWN_BACKEND, door_of, return_path_of, tried


def stay_out_of_the_way() -> None:
    """Let `login(request, user)` go on as before where you have one backend.

    With a second one Django would ask which of them a user belongs to whom none has checked: after
    a registration, say, or a password reset.
    """
    users = get_user_model()
    others = [name for name in settings.AUTHENTICATION_BACKENDS if name != OWN_BACKEND]
    if len(others) == 1 and not hasattr(users, "backend"):
        users.backend = others[0]


class AutherBackend(BaseBackend):
    """The first of AUTHENTICATION_BACKENDS: passwords of people who are at home at Auther.

    Says nothing about anybody else: your own backends do.
    """

    def user_named(self, name: str) -> Any:
        """Give the user that a form's name means, None without one.

        Override it where your own backend finds people in another way.
        """
        users = get_user_model()
        manager = users._default_manager
        try:
            if hasattr(manager, "get_by_natural_key"):
                return manager.get_by_natural_key(name)
            return manager.get(**{users.USERNAME_FIELD: name})
        except (users.DoesNotExist, users.MultipleObjectsReturned):
            return None

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **more: Any,
    ) -> Any:
        """Give the user whose password is right at Auther, where that is its place.

        Raises:
            DoorClosedError: It is right, and the login goes on at Auther.
            PermissionDenied: It is wrong; no other backend is asked.
            VerificationUnavailableError: Auther or the database does not answer.
        """
        name = username or more.get(get_user_model().USERNAME_FIELD)
        if not (name and password):
            return None
        # A call without a request is a program's.
        http = request or HttpRequest()
        user = self.user_named(name)
        if user is None:
            tried(http, "", password)
            return None
        right = password_at_auther(
            http, str(user.pk), password, door=door_of(http), return_to=return_path_of(http)
        )
        if right is None:
            tried(http, str(user.pk), password)
            return None
        if not right:
            raise PermissionDenied
        return user if getattr(user, "is_active", True) else None
