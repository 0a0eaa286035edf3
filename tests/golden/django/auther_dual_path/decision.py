"""The decision table, without any input or output: who a request acts for."""

from __future__ import annotations

from enum import Enum
from hashlib import sha256
from typing import Literal, NamedTuple

from .model import AccountState, LegacySession, Person, SignedIn
from .tokens import Claims

Place = Literal["header", "cookie"]


class Kind(Enum):
    """What came of looking at Auther's credential."""

    ABSENT = "absent"
    VALID = "valid"
    STALE = "stale"
    FORGED = "forged"
    DISABLED = "disabled"  # or pinned: Auther may not speak for this person
    UNLINKED = "unlinked"
    FOREIGN = "foreign"
    UNAVAILABLE = "unavailable"


class Answer(Enum):
    """What the shim does: let the application answer, or answer itself."""

    PASS = "pass"
    PASS_ALONE = "pass_alone"  # without cookies and session: another issuer's bearer decides
    UNAUTHORIZED = "invalid_token"
    FOREIGN = "foreign_bearer"
    LOGIN = "login"
    LEGACY_ENDED = "legacy_ended"
    CONFLICT_HEADER = "auth_conflict"
    CONFLICT_COOKIE = "conflict_page"
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
    forget_legacy: bool = False
    retry_after_s: float = 0
    parties: tuple[str, ...] = ()


ABSENT = Finding(Kind.ABSENT)
# Basic and the like: not ours, the application's own business, but counted.
OTHER_SCHEME = Finding(Kind.ABSENT, "header", "other_scheme")


def decide(
    session: LegacySession | None,
    finding: Finding,
    *,
    legacy_is_over: bool,
    foreign_passes: bool = False,
) -> Decision:
    """Look the row up.

    Args:
        session: Whom the application's own session names.
        finding: What came of Auther's credential.
        legacy_is_over: Stage `auther`, or `drain` after its deadline; said of a session only.
        foreign_passes: On this path your own authenticator takes other issuers' bearers.
    """
    kind, by_header = finding.kind, finding.place == "header"
    if kind is Kind.VALID and finding.person is not None:
        return _valid(session, finding, finding.person, legacy_is_over)
    if kind is Kind.ABSENT or (kind is Kind.STALE and not by_header):
        return _session_alone(session, finding, legacy_is_over)
    if kind is Kind.UNAVAILABLE:
        return _unavailable(finding)
    if by_header:
        return _bad_header(finding, foreign_passes)
    # The session is not used in this request, whoever's it is; and it is not ended either.
    refusal = Answer.UNLINKED if kind is Kind.UNLINKED else Answer.LOGIN
    return Decision("auther", "refused", finding.reason, answer=refusal, drop_cookie=True)


def _unavailable(finding: Finding) -> Decision:
    return Decision(
        "auther",
        "unavailable",
        Answer.UNAVAILABLE.value,
        answer=Answer.UNAVAILABLE,
        retry_after_s=finding.retry_after_s,
    )


def _valid(
    session: LegacySession | None, finding: Finding, person: Person, legacy_is_over: bool
) -> Decision:
    user = SignedIn(person.user_pk, finding.place, person.auther_id, finding.claims or {})
    if session is None:
        return Decision("auther", "accepted", "", user)
    if legacy_is_over or session.state is AccountState.SIGNED_OUT:
        return Decision("auther", "accepted", "legacy_stale", user=user, forget_legacy=True)
    if session.user_pk == person.user_pk:
        return Decision("both", "accepted", user=user)
    by_header = finding.place == "header"
    return Decision(
        "both",
        "refused",
        "conflict",
        answer=Answer.CONFLICT_HEADER if by_header else Answer.CONFLICT_COOKIE,
        parties=(_short(session.user_pk), _short(person.user_pk)),
    )


def _bad_header(finding: Finding, foreign_passes: bool) -> Decision:
    if finding.kind is Kind.FOREIGN and foreign_passes:
        return Decision("foreign", "accepted", finding.reason, answer=Answer.PASS_ALONE)
    if finding.kind is Kind.FOREIGN:
        return Decision("foreign", "refused", finding.reason, answer=Answer.FOREIGN)
    answer = Answer.UNLINKED if finding.kind is Kind.UNLINKED else Answer.UNAUTHORIZED
    return Decision("auther", "refused", finding.reason, answer=answer)


def _session_alone(
    session: LegacySession | None, finding: Finding, legacy_is_over: bool
) -> Decision:
    drop = finding.kind is Kind.STALE
    if session is None:
        return Decision("none", "anonymous", finding.reason, drop_cookie=drop)
    if legacy_is_over:
        return Decision(
            "legacy",
            "refused",
            "legacy_refused",
            answer=Answer.LEGACY_ENDED,
            drop_cookie=drop,
            forget_legacy=True,
        )
    if session.state is not AccountState.ACTIVE:
        ended = session.state is AccountState.SIGNED_OUT
        return Decision(
            "legacy",
            "refused",
            "revoked" if ended else "disabled",
            answer=Answer.LOGIN,
            drop_cookie=drop,
            forget_legacy=ended,
        )
    user = SignedIn(session.user_pk, "session")
    return Decision("legacy", "accepted", "", user, drop_cookie=drop)


def _short(user_pk: str) -> str:
    return sha256(user_pk.encode()).hexdigest()[:12]
