"""What the application calls: on its login page, at each door, at logout.

A door is wherever a session gains a user: password form, reset link, registration, invitation,
JSON login. What signs in through `django.contrib.auth` comes here by itself (see receivers.py and
backends.py). The errors that these raise need no handling: the middleware turns them into answers.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Literal

from django.http import HttpRequest

from .answers import START_PATH, Response, error, redirect, unavailable, with_return_path
from .auther_api import AutherRefusedError, AutherUnreachableError
from .browser_login import BUCKET_AGE_S, BUCKET_COOKIE, MOVED, end_auther_side
from .current import handle_of
from .database import connection_of_this_thread
from .handle import Handle
from .model import Person, Stage, VerificationUnavailableError
from .request import Request, safe_return_path

Side = Literal["legacy", "auther"]
_SHADOW_REASONS = frozenset(
    ("no_credential", "banned", "unverified", "unknown_scheme", "pepper_missing", "not_ours")
)
_SHADOWS_AT_ONCE = 2
_shadows = threading.BoundedSemaphore(_SHADOWS_AT_ONCE)


class DoorClosedError(Exception):
    """This person signs in at Auther; pages go there, programs get 403 `login_moved`."""

    def __init__(self, door: str, return_to: str) -> None:
        super().__init__(door)
        self.door = door
        self.return_to = return_to


def answer_to(
    problem: DoorClosedError | VerificationUnavailableError, request: Request
) -> Response:
    """Give the answer for a door that is closed, or that nobody can tell about now."""
    if isinstance(problem, VerificationUnavailableError):
        return unavailable(problem.retry_after_s)
    if request.wants_page:
        return redirect(with_return_path(START_PATH, problem.return_to))
    return error(HTTPStatus.FORBIDDEN, "login_moved")


def login_target(request: HttpRequest, *, cohort: str = "") -> Side:
    """Tell where the login button of this page leads; call it before the response starts.

    Sticky for a browser: the first call sets a random first-party cookie that decides. Whoever
    has signed in at Auther with this browser does so again.

    Args:
        cohort: A group of your own making (a tenant, the staff) that the switch may move first.
    """
    handle = handle_of(request)
    settings, view = handle.parts.settings, handle.view
    key = handle.request.cookie(settings.cookie(BUCKET_COOKIE))
    if not key:
        key = secrets.token_urlsafe(16)
        handle.set_cookie(BUCKET_COOKIE, key, max_age_s=BUCKET_AGE_S)
    moved = key.startswith(MOVED) and view.stage is Stage.DUAL
    to_auther = moved or view.sends_to_auther(key.removeprefix(MOVED), cohort)
    return "auther" if to_auther else "legacy"


def login_url(request: HttpRequest, *, cohort: str = "", return_to: str = "/") -> str:
    """Give the address of the login button."""
    own = handle_of(request).parts.login_path
    path = START_PATH if login_target(request, cohort=cohort) == "auther" else own
    return with_return_path(path, safe_return_path(return_to))


def password_is_right(
    request: HttpRequest,
    user_pk: str,
    password: str,
    *,
    door: str,
    here: Callable[[], bool],
    return_to: str = "",
) -> bool:
    """Check a password where this person's password is; use it instead of your own comparison.

    Args:
        user_pk: Whom the e-mail or user name belongs to.
        door: As in `admit`.
        here: Compares with your own hash.
        return_to: Where the person wanted to go.

    Raises:
        DoorClosedError: It is right, and this person's home is Auther: the login goes on there.
        VerificationUnavailableError: Auther or the database does not answer.
    """
    verdict = password_at_auther(request, user_pk, password, door=door, return_to=return_to)
    if verdict is not None:
        return verdict
    right = here()
    if right:
        password_was_right(request, user_pk, password)
    return right


def password_at_auther(
    request: HttpRequest, user_pk: str, password: str, *, door: str, return_to: str = ""
) -> bool | None:
    """Check a password at Auther; None for somebody whose password is here.

    Raises:
        DoorClosedError: It is right, and this person's home is Auther: the login goes on there.
        VerificationUnavailableError: Auther or the database does not answer.
    """
    handle = handle_of(request)
    person = handle.parts.people.by_user_pk(user_pk)
    if person is None or not _is_at_auther(handle, person):
        return None
    right = _right_at_auther(handle, person, password)
    # In `legacy` the form stays the way in: only the comparison is Auther's for a while yet.
    if right and handle.request.wants_page and handle.view.stage is not Stage.LEGACY:
        raise closed(handle, door, return_to)
    return right


def password_was_right(request: HttpRequest, user_pk: str, password: str) -> None:
    """Have a password that was right here tried at Auther too; it delays and decides nothing.

    After a compromise Auther is given none.
    """
    handle = handle_of(request)
    if not (handle.parts.api.checks_passwords and handle.view.accepts_auther()):
        return
    person = handle.parts.people.by_user_pk(user_pk)
    if person is not None and not person.moved and not person.pinned:
        _shadow(handle, person, password)


def admit(request: HttpRequest, user_pk: str, *, door: str, return_to: str = "") -> None:
    """Call this before a session gains a user, whichever door it came through.

    Ends the other side's session in this browser first, so that a conflict later means abuse or a
    race and never an ordinary login; counts the login by door.

    Args:
        door: `form`, `reset`, `json`, …: a closed list, it becomes a counter's label.
        return_to: Where the person wanted to go.

    Raises:
        DoorClosedError: The stage sends this person to Auther.
        VerificationUnavailableError: The database does not answer.
    """
    handle = handle_of(request)
    if not _is_open(handle, user_pk):
        raise closed(handle, door, return_to)
    handle.drop_token()
    handle.parts.counters.count("auth_logins", door, "legacy")


def reset_at_auther(request: HttpRequest, user_pk: str) -> str:
    """Give the page at Auther that a password reset link leads to; '' when it is good here.

    Ask before the link is used up, and use it up before the redirect.

    Raises:
        VerificationUnavailableError: Auther does not answer; the link stays good.
    """
    handle = handle_of(request)
    person = handle.parts.people.by_user_pk(user_pk)
    if person is None or not _is_at_auther(handle, person):
        return ""
    try:
        return handle.parts.api.reset_url(person.auther_id)
    except (AutherRefusedError, AutherUnreachableError):
        raise VerificationUnavailableError("reset_ticket", 5) from None


def changes_password_at_auther(request: HttpRequest, user_pk: str) -> bool:
    """Tell whether this person's password is changed at Auther, and count a page that is closed."""
    handle = handle_of(request)
    person = handle.parts.people.by_user_pk(user_pk)
    if handle.view.stage is Stage.LEGACY or person is None or not _is_at_auther(handle, person):
        return False
    closed(handle, "password_change", "/")
    return True


def end_auther_session(request: HttpRequest) -> None:
    """Sign out of Auther, in this browser and there; for your own logout, beside its own work."""
    end_auther_side(handle_of(request))


def _is_open(handle: Handle, user_pk: str) -> bool:
    if handle.view.stage in {Stage.LEGACY, Stage.DUAL}:
        return True
    if handle.view.legacy_is_over(handle.parts.now()):
        return False
    by_json = not handle.request.wants_page
    if by_json and handle.parts.settings.json_doors_are_open(handle.parts.now()):
        return True
    person = handle.parts.people.by_user_pk(user_pk)
    return person is not None and person.pinned


def _is_at_auther(handle: Handle, person: Person) -> bool:
    if not person.moved or person.pinned:
        return False
    # Back in `legacy` homes do not count, but a password set at Auther may not have arrived yet.
    legacy = handle.view.stage is Stage.LEGACY
    if legacy and handle.view.stop_accepting:
        return False
    return not legacy or handle.parts.people.not_written_back(person.auther_id)


def _right_at_auther(handle: Handle, person: Person, password: str) -> bool:
    try:
        verdict = handle.parts.api.password_verdict(person.auther_id, password)
    except (AutherRefusedError, AutherUnreachableError):
        raise VerificationUnavailableError("verify", 1) from None
    return verdict.get("valid") is True


def closed(handle: Handle, door: str, return_to: str) -> DoorClosedError:
    """Count a login that is refused, and give what says so."""
    handle.parts.counters.count("auth_logins_refused", door, str(handle.view.stage))
    return DoorClosedError(door, safe_return_path(return_to))


def _shadow(handle: Handle, person: Person, password: str) -> None:
    if not _shadows.acquire(blocking=False):
        handle.parts.counters.count("auth_shadow_checks", "skipped")
        return

    def compare() -> None:
        try:
            with connection_of_this_thread():
                _compare(handle, person, password)
        finally:
            _shadows.release()

    # Beside the request: it delays and decides nothing. The password lives in this thread alone.
    threading.Thread(target=compare, daemon=True).start()


def _compare(handle: Handle, person: Person, password: str) -> None:
    parts, result = handle.parts, "error"
    try:
        verdict = parts.api.password_verdict(person.auther_id, password)
        said = str(verdict.get("reason", ""))
        matched = verdict.get("valid") is True or _capture(handle, person, password, said)
        reason = said if said in _SHADOW_REASONS and not matched else ""
        parts.people.shadow_checked(person.user_pk, matched=matched, reason=reason)
        result = "match" if matched else "mismatch"
    except (AutherRefusedError, AutherUnreachableError, VerificationUnavailableError):
        pass
    parts.counters.count("auth_shadow_checks", result)


def _capture(handle: Handle, person: Person, password: str, reason: str) -> bool:
    """Give Auther a password that it lacks, once; tell whether it has it from now on."""
    parts = handle.parts
    if reason not in {"no_credential", "unknown_scheme"} or not parts.api.captures:
        return False
    try:
        outcome = parts.api.capture(person.auther_id, password)
    except (AutherRefusedError, AutherUnreachableError):
        outcome = "failed"
    known = outcome if outcome in {"captured", "failed"} else "left"
    parts.counters.count("auth_captures", known)
    return known == "captured"
