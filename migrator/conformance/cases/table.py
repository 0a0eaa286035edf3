"""The decision table, row by row, in every stage."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from migrator.conformance.case import Case
from migrator.conformance.interface import (
    AFTER_DEADLINE,
    AUTHER,
    DRAIN,
    DUAL,
    LEGACY,
    STOPPED,
    At,
    Need,
)
from migrator.conformance.signing_keys import SigningKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.conformance.bench import Bench
    from migrator.conformance.browser import Answer

NOBODY_KNOWN = "an-auther-id-that-nobody-has"
OPAQUE = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Row:
    """A request and what comes of it.

    Attributes:
        answer: `user NAME`, `nobody`, `login`, `conflict page`, or a status with its error code.
        counted: "path outcome reason" of the counter; * is any text.
        session: Whose legacy session the browser has.
        header: What the Authorization header holds, by the name of a credential.
        cookie: What the Auther cookie holds.
        page: A person goes to a page; otherwise a script asks.
        cookie_stays: Whether the browser still has the Auther cookie.
    """

    name: str
    answer: str
    counted: str
    session: str = ""
    header: str = ""
    cookie: str = ""
    page: bool = False
    cookie_stays: bool = True
    needs: frozenset[Need] = frozenset()


_ODD = frozenset({Need.TEST_ISSUER})
_FOREIGN = frozenset({Need.FOREIGN_REFUSED})

NEITHER = (
    Row("nothing", "nobody", "none anonymous"),
    Row("session", "user bob", "legacy accepted", session="bob"),
    Row("header", "user alice", "auther accepted", header="good"),
    Row("cookie", "user alice", "auther accepted", cookie="good"),
)
SAME_PERSON = (
    Row("header-and-own-session", "user alice", "both accepted", session="alice", header="good"),
    Row("cookie-and-own-session", "user alice", "both accepted", session="alice", cookie="good"),
)
CONFLICTS = (
    Row(
        "header-and-other-session",
        "401 auth_conflict",
        "both refused conflict",
        session="bob",
        header="good",
    ),
    Row(
        "header-and-other-session-on-a-page",
        "401 auth_conflict",
        "both refused conflict",
        session="bob",
        header="good",
        page=True,
    ),
    Row(
        "cookie-and-other-session",
        "401 auth_conflict",
        "both refused conflict",
        session="bob",
        cookie="good",
    ),
    Row(
        "cookie-and-other-session-on-a-page",
        "conflict page",
        "both refused conflict",
        session="bob",
        cookie="good",
        page=True,
    ),
)
BAD_HEADERS = tuple(
    Row(
        f"header-{name}-never-falls-through",
        "401 invalid_token",
        f"auther refused {reason}",
        session="bob",
        header=name,
        needs=_ODD,
    )
    for name, reason in (
        ("expired", "expired"),
        ("for-another-client", "audience"),
        ("forged", "signature"),
    )
)
FOREIGN = tuple(
    Row(
        f"header-{name}",
        "401 foreign_bearer",
        "foreign refused foreign_bearer",
        session="bob",
        header=name,
        needs=_FOREIGN | (_ODD if name == "of-another-issuer" else frozenset()),
    )
    for name in ("opaque", "of-another-issuer")
)
UNKNOWN = (
    Row(
        "header-of-a-stranger",
        "409 identity_unlinked",
        "auther refused identity_unlinked",
        session="bob",
        header="of-a-stranger",
        needs=_ODD,
    ),
    Row(
        "cookie-of-a-stranger",
        "409 identity_unlinked",
        "auther refused identity_unlinked",
        session="bob",
        cookie="of-a-stranger",
        cookie_stays=False,
        needs=_ODD,
    ),
)
HEADER_HIDES = (
    Row(
        "a-header-hides-the-cookie",
        "401 invalid_token",
        "auther refused expired",
        header="expired",
        cookie="good",
        needs=_ODD,
    ),
)
STALE_COOKIES = tuple(
    Row(
        f"cookie-{name}-is-as-absent",
        "user bob",
        "legacy accepted*",
        session="bob",
        cookie=name,
        cookie_stays=False,
        needs=_ODD,
    )
    for name in ("expired", "for-another-client", "of-another-issuer")
)
STALE_ALONE = (
    Row(
        "cookie-expired-alone",
        "nobody",
        "none anonymous*",
        cookie="expired",
        cookie_stays=False,
        needs=_ODD,
    ),
)
SPOILT_COOKIES = (
    Row(
        "cookie-forged",
        "401 invalid_token",
        "auther refused signature",
        session="bob",
        cookie="forged",
        cookie_stays=False,
        needs=_ODD,
    ),
    Row(
        "cookie-malformed",
        "401 invalid_token",
        "auther refused malformed",
        session="bob",
        cookie="opaque",
        cookie_stays=False,
    ),
    Row(
        "cookie-forged-on-a-page",
        "login",
        "auther refused signature",
        session="bob",
        cookie="forged",
        page=True,
        cookie_stays=False,
        needs=_ODD,
    ),
)
OTHER_SCHEME = (
    Row("basic-alone", "nobody", "* anonymous other_scheme", header="basic"),
    Row("basic-beside-a-session", "user bob", "legacy accepted*", session="bob", header="basic"),
)
EVERYWHERE = (
    *NEITHER[2:],
    *BAD_HEADERS,
    *FOREIGN,
    *UNKNOWN,
    *HEADER_HIDES,
    *STALE_ALONE,
    *SPOILT_COOKIES,
    *OTHER_SCHEME[:1],
)
WHILE_BOTH_COUNT = (
    *NEITHER[:2],
    *SAME_PERSON,
    *CONFLICTS,
    *STALE_COOKIES,
    *OTHER_SCHEME[1:],
    *EVERYWHERE,
)
ON_A_PAGE = (replace(NEITHER[1], name="session-on-a-page", page=True),)
# Auther decides alone: a legacy credential beside its own is ignored, and ended.
_ENDED = "legacy refused legacy_refused"
AUTHER_ALONE = (
    NEITHER[0],
    Row("session-ended", "401 legacy_ended", _ENDED, session="bob"),
    Row("session-ended-on-a-page", "login", _ENDED, session="bob", page=True),
    *(
        Row(
            f"{place}-and-{whose}-session",
            "user alice",
            "auther accepted legacy_stale",
            session=name,
            header="good" if place == "header" else "",
            cookie="good" if place == "cookie" else "",
        )
        for place in ("header", "cookie")
        for whose, name in (("other", "bob"), ("own", "alice"))
    ),
    *(replace(row, answer="401 legacy_ended", counted=_ENDED) for row in STALE_COOKIES),
    *EVERYWHERE,
)
STOPPED_ROWS = (
    *NEITHER[:2],
    Row("header", "401 invalid_token", "auther refused stopped", session="alice", header="good"),
    Row(
        "cookie", "user bob", "legacy accepted*", session="bob", cookie="good", cookie_stays=False
    ),
)
_STAGES: tuple[tuple[str, At, tuple[Row, ...], str], ...] = (
    ("dual", DUAL, (*WHILE_BOTH_COUNT, *ON_A_PAGE), "stage dual: both are accepted"),
    ("legacy", LEGACY, (*WHILE_BOTH_COUNT, *ON_A_PAGE), "stage legacy: both are accepted"),
    ("stopped", STOPPED, STOPPED_ROWS, "after --stop-accepting no Auther credential counts"),
    ("drain", DRAIN, WHILE_BOTH_COUNT, "stage drain: both are accepted"),
    (
        "after-deadline",
        AFTER_DEADLINE,
        AUTHER_ALONE,
        "stage drain after legacy_accept_until: legacy credentials count no more",
    ),
    ("auther", AUTHER, AUTHER_ALONE, "stage auther: Auther decides alone"),
)
_MEND = (
    "compare the middleware's decision with the table of section 3: it must run before the "
    "framework's own sign-in, and count on one line"
)


def credential(bench: Bench, name: str) -> str:
    """Give a token by name: alice's, or alice's with something wrong."""
    make: dict[str, Callable[[], str]] = {
        "good": lambda: bench.token("alice"),
        "expired": lambda: bench.token("alice", exp=1),
        "for-another-client": lambda: bench.token("alice", aud="another-client"),
        "of-another-issuer": lambda: bench.token("alice", iss="https://elsewhere.example"),
        "forged": lambda: bench.token("alice", key=SigningKey(kid=bench.issuer.keys[-1].kid)),
        # Without an address nobody gets a row, even where newcomers do.
        "of-a-stranger": lambda: bench.issuer.make_token(NOBODY_KNOWN, email=None),
        "opaque": lambda: OPAQUE,
    }
    return make[name]()


def _send(bench: Bench, row: Row) -> None:
    browser = bench.browser(
        session=row.session, cookie=credential(bench, row.cookie) if row.cookie else ""
    )
    headers: list[tuple[str, str]] = []
    if row.header == "basic":
        headers = [("Authorization", "Basic bm9ib2R5Om5vYm9keQ==")]
    elif row.header:
        headers = [("Authorization", f"Bearer {credential(bench, row.header)}")]
    ask = bench.visit if row.page else bench.who
    before = bench.metrics()
    answer = ask(browser, *headers)
    counted = bench.metrics().requests_since(before)
    _check_answer(bench, answer, row.answer)
    if row.cookie:
        kept = bench.token_cookie in browser.cookies
        answer.must(
            kept is row.cookie_stays,
            f"the Auther cookie {'stays' if row.cookie_stays else 'is removed'}",
        )
    bench.expect_counted(answer, counted, row.counted)


def _check_answer(bench: Bench, answer: Answer, expected: str) -> None:
    kind, _, rest = expected.partition(" ")
    match kind:
        case "user":
            bench.expect_user(answer, rest)
        case "nobody":
            bench.expect_user(answer, None)
        case "login":
            answer.must(bench.is_login(answer), f"a redirect to {sorted(bench.login_paths)}")
        case "conflict":
            is_there = answer.status == 303 and answer.path == "/auth/conflict"
            answer.must(is_there, "303 to /auth/conflict")
        case _:
            bench.expect_refused(answer, int(kind), rest)


def _case(group: str, at: At, row: Row, rule: str) -> Case:
    needs = row.needs | ({Need.FORM} if row.session else frozenset())
    sessions = (row.session,) if row.session else ()
    said = f"{rule}: {row.name.replace('-', ' ')} gives {row.answer}"
    return Case(
        group, row.name, said, _MEND, lambda bench: _send(bench, row), at, needs, (), sessions
    )


CASES = tuple(_case(group, at, row, rule) for group, at, rows, rule in _STAGES for row in rows)
