"""The decision, without any input or output: who a request acts for."""

from __future__ import annotations

from enum import Enum
from typing import Literal, NamedTuple

from .model import Person, SignedIn
from .tokens import Claims

Place = Literal["header", "cookie"]


class Kind(Enum):
    """What came of looking at Auther's credential."""

    ABSENT = "absent"
    VALID = "valid"
    STALE = "stale"
    FORGED = "forged"
    DISABLED = "disabled"
    UNLINKED = "unlinked"
    FOREIGN = "foreign"
    UNAVAILABLE = "unavailable"


class Answer(Enum):
    """What the middleware does: let the application answer, or answer itself."""

    PASS = "pass"
    PASS_ALONE = "pass_alone"  # without cookies and session: another issuer's bearer decides
    UNAUTHORIZED = "invalid_token"
    FOREIGN = "foreign_bearer"
    LOGIN = "login"
    UNLINKED = "identity_unlinked"
    UNAVAILABLE = "verification_unavailable"


class Finding(NamedTuple):
    """Auther's credential after every check.

    Attributes:
        place: Where it was; a header that is present hides the cookie.
        reason: Why it is not valid, from a closed list.
        claims: Of a valid token, or of one that is in order but for its age.
    """

    kind: Kind
    place: Place = "cookie"
    reason: str = ""
    person: Person | None = None
    claims: Claims | None = None
    retry_after_s: float = 0


class Decision(NamedTuple):
    """One request's outcome; `path`, `outcome` and `reason` are the counter's labels."""

    path: str
    outcome: str
    reason: str = ""
    user: SignedIn | None = None
    answer: Answer = Answer.PASS
    drop_cookie: bool = False
    retry_after_s: float = 0
    parties: tuple[str, ...] = ()


ABSENT = Finding(Kind.ABSENT)
# Basic and the like: not ours, the application's own business, but counted.
OTHER_SCHEME = Finding(Kind.ABSENT, "header", "other_scheme")


def decide(
    finding: Finding, *, foreign_passes: bool = False, sees_legacy: bool = False
) -> Decision:
    """Say who a request acts for.

    Args:
        finding: What came of Auther's credential.
        foreign_passes: On this path your own authenticator takes other issuers' bearers.
        sees_legacy: A legacy sign-in came along; it is counted, and signs nobody in.
    """
    place, person = finding.place, finding.person
    if finding.kind is Kind.VALID and person is not None:
        user = SignedIn(person.user_pk, place, person.auther_id, finding.claims or {})
        return Decision("auther", "accepted", "legacy_stale" if sees_legacy else "", user=user)
    if finding.kind is Kind.FOREIGN:
        answer = Answer.PASS_ALONE if foreign_passes else Answer.FOREIGN
        outcome = "accepted" if foreign_passes else "refused"
        return Decision("foreign", outcome, finding.reason, answer=answer)
    if finding.kind is Kind.ABSENT or (finding.kind is Kind.STALE and place == "cookie"):
        drop = finding.kind is Kind.STALE
        if sees_legacy:
            return Decision("legacy", "refused", "legacy_refused", drop_cookie=drop)
        return Decision("none", "anonymous", finding.reason, drop_cookie=drop)
    return _refused(finding)


def _refused(finding: Finding) -> Decision:
    by_cookie = finding.place == "cookie"
    if finding.kind is Kind.UNAVAILABLE:
        reason = Answer.UNAVAILABLE.value
        wait_s = finding.retry_after_s
        return Decision(
            "auther", "unavailable", reason, answer=Answer.UNAVAILABLE, retry_after_s=wait_s
        )
    usual = Answer.LOGIN if by_cookie else Answer.UNAUTHORIZED
    answer = Answer.UNLINKED if finding.kind is Kind.UNLINKED else usual
    return Decision("auther", "refused", finding.reason, answer=answer, drop_cookie=by_cookie)
