"""Signs an application's users in at Auther. See README.md.

Generated once; yours to read, change and own.
"""

from .identity import PostgresPeople, devise_state
from .middleware import AutherMiddleware
from .model import AccountState, LegacyDetector, Person, SignedIn, VerificationUnavailableError
from .request import safe_return_path
from .session import end_auther_session, login_url
from .settings import SETTINGS, NotConfiguredError

__all__ = [
    "SETTINGS",
    "AccountState",
    "AutherMiddleware",
    "LegacyDetector",
    "NotConfiguredError",
    "Person",
    "PostgresPeople",
    "SignedIn",
    "VerificationUnavailableError",
    "devise_state",
    "end_auther_session",
    "login_url",
    "safe_return_path",
]
