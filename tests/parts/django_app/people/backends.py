"""Passwords as Devise hashed them."""

import os
from typing import Any

import bcrypt
from django.contrib.auth.backends import ModelBackend
from django.db.models import F

from people.models import User


class DeviseBackend(ModelBackend):
    """E-mail and password against bcrypt with a pepper, failed attempts counted."""

    def authenticate(
        self,
        request: Any,  # noqa: ARG002 (Django gives it)
        username: str | None = None,
        password: str | None = None,
    ) -> User | None:
        """Give whose password this is."""
        user = User.objects.filter(email=(username or "").strip().lower()).first()
        if user is None or not password:
            return None
        typed = (password + os.environ["DEVISE_PEPPER"]).encode()[:72]
        if not (user.password and bcrypt.checkpw(typed, user.password.encode())):
            User.objects.filter(pk=user.pk).update(failed_attempts=F("failed_attempts") + 1)
            return None
        return user if self.user_can_authenticate(user) else None
