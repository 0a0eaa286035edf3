"""A real better-auth 1.3.32, configured as Auther configures it, on a database file.

Needs Node.js and the packages of package-lock.json (the set-up brings both). Imports no pytest: the demo uses it too.
"""

from tests.parts.better_auth.browser import (
    LoginRefusedError,
    Tokens,
    log_in,
    login_through_authorize,
)
from tests.parts.better_auth.server import BetterAuth, Client, SignIn, start

__all__ = [
    "BetterAuth",
    "Client",
    "LoginRefusedError",
    "SignIn",
    "Tokens",
    "log_in",
    "login_through_authorize",
    "start",
]
