"""What the application calls: for its login button, and at logout."""

from __future__ import annotations

from django.http import HttpRequest

from .answers import START_PATH, with_return_path
from .browser_login import end_auther_side
from .current import handle_of
from .request import safe_return_path


def login_url(*, return_to: str = "/") -> str:
    """Give the address of the login button."""
    return with_return_path(START_PATH, safe_return_path(return_to))


def end_auther_session(request: HttpRequest) -> None:
    """Sign out of Auther, in this browser and there; for your own logout, beside its own work."""
    end_auther_side(handle_of(request))
