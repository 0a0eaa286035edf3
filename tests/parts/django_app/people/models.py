"""The club's users: a table that Devise made, read by Django."""

from datetime import UTC, datetime, timedelta

from auther_dual_path.model import AccountState
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

UNLOCK_IN = timedelta(hours=1)
MAXIMUM_ATTEMPTS = 20


class User(AbstractBaseUser):
    """Somebody of the club."""

    email = models.CharField(max_length=255, unique=True)
    password = models.CharField(max_length=255, db_column="encrypted_password")
    locked_at = models.DateTimeField(null=True)
    failed_attempts = models.IntegerField(default=0)
    confirmed_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    objects = BaseUserManager()
    USERNAME_FIELD = "email"

    class Meta:
        managed = False
        db_table = "users"

    @property
    def is_active(self) -> bool:
        """Whether this account may sign in."""
        return state_of(self) is AccountState.ACTIVE

    @property
    def is_staff(self) -> bool:
        """Everybody may look into the admin site, where there is nothing."""
        return True

    def has_perm(self, *_: object) -> bool:
        """Say no to everything in it."""
        return False

    has_module_perms = has_perm


def state_of(user: User) -> AccountState:
    """Judge an account."""
    if user.deleted_at is not None:
        return AccountState.DELETED
    if user.confirmed_at is None:
        return AccountState.UNCONFIRMED
    if user.locked_at is None or _utc(user.locked_at) + UNLOCK_IN <= datetime.now(UTC):
        return AccountState.ACTIVE
    by_attempts = user.failed_attempts >= MAXIMUM_ATTEMPTS
    return AccountState.LOCKED_BY_ATTEMPTS if by_attempts else AccountState.LOCKED


def _utc(at: datetime) -> datetime:
    # Columns without a zone keep UTC.
    return at if at.tzinfo else at.replace(tzinfo=UTC)
