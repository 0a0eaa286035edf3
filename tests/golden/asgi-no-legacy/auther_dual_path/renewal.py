"""An ended token becomes a new one on the way to the next page, as long as Auther remembers.

Only for pages in the address bar, only for the person whom the ended token names, and no more
after three failures in a row.
"""

from __future__ import annotations

from .answers import START_PATH, Response, redirect, with_return_path
from .attempt import Attempt
from .decision import Finding
from .handle import Handle
from .model import Person, VerificationUnavailableError
from .tokens import refusal_of

FAILURES_COOKIE = "auther_renewals"
MAX_FAILURES = 3
_FAILURES_AGE_S = 24 * 3600


async def offered(handle: Handle, finding: Finding) -> Response | None:
    """Give the way to a new token where the ended one fits, None where it is as absent."""
    if finding.reason != "expired" or not handle.request.is_top_level_get:
        return None
    person = await _person(handle, finding)
    if person is None or _failures(handle) >= MAX_FAILURES:
        return None
    handle.parts.counters.count("auth_renewals", "started")
    # Counted before it is known: a browser that never comes back has failed.
    failures = str(_failures(handle) + 1)
    handle.set_cookie(FAILURES_COOKIE, failures, max_age_s=_FAILURES_AGE_S)
    return redirect(with_return_path(START_PATH, handle.request.return_path(), renew="1"))


async def bound_to(handle: Handle) -> str:
    """Give the `sub` that has to come back, '' when there is nothing to renew."""
    finding = await handle.parts.credentials.in_cookie(handle.request)
    person = await _person(handle, finding)
    return "" if person is None else person.auther_id


def succeeded(handle: Handle, attempt: Attempt) -> None:
    """Begin to count failures anew."""
    handle.drop_cookie(FAILURES_COOKIE)
    if attempt.purpose == "renewal":
        handle.parts.counters.count("auth_renewals", "ok")


async def failed(handle: Handle, reason: str) -> None:
    """Take the ended token away when somebody else came back."""
    if reason == "other_user":
        await handle.drop_token()
    handle.parts.counters.count("auth_renewals", reason if reason == "other_user" else "failed")


def _failures(handle: Handle) -> int:
    text = handle.request.cookie(handle.parts.settings.cookie(FAILURES_COOKIE))
    return int(text) if text.isascii() and text.isdigit() and len(text) == 1 else 0


async def _person(handle: Handle, finding: Finding) -> Person | None:
    if finding.reason != "expired" or finding.place != "cookie" or finding.claims is None:
        return None
    try:
        person = await handle.parts.people.by_auther_id(finding.claims["sub"])
    except VerificationUnavailableError:
        return None
    if person is None or refusal_of(person, finding.claims):
        return None
    return person
