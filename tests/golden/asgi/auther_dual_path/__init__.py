"""Accepts an application's own sessions and Auther's tokens side by side. See README.md.

Generated once; yours to read, change and own.
"""

from .doors import (
    DoorClosedError,
    admit,
    end_auther_session,
    login_target,
    login_url,
    password_is_right,
    reset_at_auther,
)
from .identity import PostgresPeople, devise_state
from .middleware import DualPathMiddleware
from .model import (
    AccountState,
    LegacyDetector,
    LegacySession,
    LegacySessions,
    Person,
    SignedIn,
    VerificationUnavailableError,
)
from .request import safe_return_path
from .settings import SETTINGS, NotConfiguredError

__all__ = [
    "SETTINGS",
    "AccountState",
    "DoorClosedError",
    "DualPathMiddleware",
    "LegacyDetector",
    "LegacySession",
    "LegacySessions",
    "NotConfiguredError",
    "Person",
    "PostgresPeople",
    "SignedIn",
    "VerificationUnavailableError",
    "admit",
    "devise_state",
    "end_auther_session",
    "login_target",
    "login_url",
    "password_is_right",
    "reset_at_auther",
    "safe_return_path",
]
