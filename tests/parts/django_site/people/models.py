"""A user model of the application's own: signs in with the address, other names for the columns."""

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.db import models


class Customer(AbstractBaseUser, PermissionsMixin):
    """Somebody who buys."""

    mail = models.EmailField(unique=True)
    label = models.CharField(max_length=80)
    is_active = models.BooleanField(default=True)
    joined = models.DateTimeField(auto_now_add=True)
    mail_proven = models.BooleanField(default=False)

    EMAIL_FIELD = "mail"
    USERNAME_FIELD = "mail"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
