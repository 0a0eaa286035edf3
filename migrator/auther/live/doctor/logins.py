"""The way of a login: client, consent, token endpoint, and what authorize does without a session."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from migrator.auther.live.doctor.interface import (
    Finding,
    NoAnswerError,
    Provider,
    lacking,
    there,
)
from migrator.auther.live.doctor.question import Question
from migrator.auther.live.doctor.visit import OK

if TYPE_CHECKING:
    from migrator.auther.live.doctor.asking import Answer
    from migrator.auther.live.doctor.visit import Visit

ENSURE = "migrator auther client ensure"
_NO_CONSENT = "NO_CONSENT_PAGE"
_REFUSALS = {
    "INVALID_REDIRECT_URI": "the client's redirect addresses do not hold [shim] redirect_uri",
    "invalid_client": "Auther does not know [auther] client_id",
    "client_disabled": "the client is disabled",
    "invalid_scope": "Auther refuses the scopes openid profile email",
}


def client(visit: Visit) -> Finding:
    """The application's client, as authorize and the token endpoint see it."""
    answer = visit.authorize().answer
    refused = next((why for sign, why in _REFUSALS.items() if sign in _said(answer)), "")
    if refused:
        return lacking(refused, ENSURE, Provider.APPLICATION, blocks=True)
    if not (_has_code(visit, answer) or _asks(answer) or _NO_CONSENT in answer.code):
        raise NoAnswerError(f"authorize answered {answer.status} {answer.code}".strip())
    if not _has_code(visit, answer):
        return there("authorize knows the client and its redirect address", "see consent")
    try:
        visit.tokens()
    except NoAnswerError as error:
        # Known from Auther's environment alone, a client fails here: tokens refer to its row.
        return lacking(str(error), ENSURE, Provider.APPLICATION, blocks=True)
    return there("a code and tokens for the canary", "the login works from end to end")


def consent(visit: Visit) -> Finding:
    """Whether people who come for the first time get through."""
    first = visit.authorize().answer
    if _asks(first):
        return there(
            f"Auther asks for consent at {urlsplit(first.location).path or 'its own page'}",
            "everybody is asked once; skipConsent for this client spares them that",
        )
    if _NO_CONSENT in first.code:
        return lacking(
            "authorize answers NO_CONSENT_PAGE_PROVIDED",
            f"name the client in Auther's trustedClients with skipConsent ({ENSURE} prints it)",
            blocks=True,
        )
    if not _has_code(visit, first):
        raise NoAnswerError("the client does not get as far as consent (see client)")
    if _has_code(visit, visit.authorize(prompt="consent").answer):
        return there("the client is trusted: nobody is asked", "imported and new users get in")
    return lacking(
        "the canary has a row in oauth_consent, the client is not trusted",
        "whoever registers later has no such row and gets 500: name the client in trustedClients",
        blocks=True,
    )


def fetched_authorize(visit: Visit) -> Finding:
    """What a script sees that asks authorize."""
    answer = visit.authorize(signed_in=False, fetch=True).answer
    if answer.status == OK and answer.json.get("url"):
        text = "200 with JSON {redirect, url} instead of a redirect"
        return there(text, "the shims offer a login to navigations only", Provider.APPLICATION)
    return there(f"{answer.status}, as for a navigation", "nothing to do")


def silent_authorize(visit: Visit) -> Finding:
    """What `prompt=none` does without a session."""
    answer = visit.authorize(prompt="none", signed_in=False).answer
    if "login_required" in answer.location:
        return there("error=login_required, as OIDC says", "silent renewal may use it")
    path = urlsplit(answer.location).path or answer.status
    return lacking(
        f"prompt=none is ignored: {path}",
        "the shims renew on top-level navigations only and count failures",
        Provider.APPLICATION,
    )


def _has_code(visit: Visit, answer: Answer) -> bool:
    return answer.location.startswith(visit.setting.redirect_uri) and "code=" in answer.location


def _asks(answer: Answer) -> bool:
    page = answer.status == OK and "html" in answer.headers.get("content-type", "")
    return page or "consent_code=" in answer.location


def _said(answer: Answer) -> str:
    return f"{answer.code} {answer.location}"


QUESTIONS = {
    "client": Question("the application's client", client, Provider.APPLICATION, blocks=True),
    "consent": Question("consent", consent, blocks=True),
    "fetched_authorize": Question("authorize asked by a script", fetched_authorize),
    "silent_authorize": Question("prompt=none", silent_authorize),
}
