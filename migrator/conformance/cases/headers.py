"""The Authorization header's spellings, foreign bearers, and headers that only look like something."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from migrator.conformance.bench import bearer
from migrator.conformance.case import Case, case
from migrator.conformance.cases.table import OPAQUE
from migrator.conformance.interface import AUTHER, DRAIN, LEGACY, Need

if TYPE_CHECKING:
    from migrator.conformance.bench import Bench

GROUP = "headers"
_MEND_SCHEME = "read the scheme without regard to case, and take exactly one token after it"
_MEND_SPOOF = (
    "the identity is what the shim puts into the request's own context; strip or never read "
    "inbound headers, whatever their spelling"
)
SPELLINGS = {
    "bearer-in-lower-case": "bearer {}",
    "bearer-in-capitals": "BEARER {}",
    "bearer-with-more-blanks": "Bearer   {}",
}
NO_TOKEN = {
    "bearer-without-a-token": "Bearer",
    "bearer-with-two-words": "Bearer {} {}",
    "bearer-with-a-comma": "Bearer {},{}",
}
LOOK_ALIKES = (
    "X-Authorization",
    "X-HTTP-Authorization",
    "HTTP_AUTHORIZATION",
    "Proxy-Authorization",
)
SPOOFED = {
    "dashes": ("X-User", "X-User-Id", "X-Auther-User", "Remote-User", "X-Remote-User"),
    "underscores": ("x_user", "X_User_Id", "REMOTE_USER", "HTTP_X_USER", "auther_user"),
    "cases": ("x-user", "X-USER", "x-USER-id", "X-Forwarded-User", "x-forwarded-USER"),
    "inner-names": ("auther.user", "auther_cutover.credential", "warden", "req.user", "user"),
}
QUERY = ("access_token", "token", "id_token", "authorization", "bearer_token", "auther_id_token")


def _is_alice(bench: Bench, spelling: str) -> None:
    value = spelling.format(bench.token("alice"))
    bench.expect_user(bench.who(bench.browser(), ("Authorization", value)), "alice")


def _is_foreign(bench: Bench, spelling: str) -> None:
    token = bench.token("alice")
    value = spelling.format(token, token)
    answer = bench.who(bench.browser(session="bob"), ("Authorization", value))
    bench.expect_refused(answer, 401, "foreign_bearer")


def _spoofed(bench: Bench, names: tuple[str, ...]) -> None:
    alice, bob = bench.person("alice"), bench.session("bob")
    for value in (alice.user_pk, alice.auther_id, alice.email):
        headers = [(name, value) for name in names]
        answer = bench.who(bench.browser(), *headers)
        bench.expect_user(answer, None)
        beside = bench.browser()
        beside.cookies.update(bob)
        bench.expect_user(bench.who(beside, *headers), "bob")


@case(
    GROUP,
    rule="`Bearer` and a tab is not the scheme Bearer: the token in it speaks for nobody",
    mend=_MEND_SCHEME,
    sessions=("bob",),
)
def bearer_with_a_tab(bench: Bench) -> None:
    value = f"Bearer\t{bench.token('alice')}"
    answer = bench.who(bench.browser(session="bob"), ("Authorization", value))
    answer.must(answer.status == 401 or bench.is_user(answer, "bob"), "401, or bob")


@case(
    GROUP,
    rule="two Authorization headers are refused, whatever stands in them and in whichever order",
    mend="read all values of the header: one reader would take the first, the next one the last",
    sessions=("bob",),
)
def two_authorization_headers(bench: Bench) -> None:
    good = bearer(bench.token("alice"))
    for other in (good, bearer(OPAQUE), ("Authorization", "Basic bm9ib2R5Om5vYm9keQ==")):
        for pair in ((good, other), (other, good)):
            answer = bench.who(bench.browser(session="bob"), *pair)
            answer.must(answer.status == 401, "401")


@case(
    GROUP,
    rule="a header whose name only looks like Authorization carries no credential",
    mend=_MEND_SPOOF,
)
def names_that_look_like_authorization(bench: Bench) -> None:
    _, value = bearer(bench.token("alice"))
    for name in LOOK_ALIKES:
        bench.expect_user(bench.who(bench.browser(), (name, value)), None)


@case(
    GROUP,
    rule="a token in the query is never read: it would stand in logs and in Referer",
    mend="take a token from the Authorization header or the shim's cookie only",
)
def a_token_in_the_query(bench: Bench) -> None:
    token = bench.token("alice")
    for name in QUERY:
        answer = bench.browser().get(f"{bench.profile.whoami}?{name}={token}")
        bench.expect_user(answer, None)


@case(
    GROUP,
    rule="a token in a form's body is never read",
    mend="take a token from the Authorization header or the shim's cookie only",
    needs=(Need.POST,),
)
def a_token_in_the_body(bench: Bench) -> None:
    post = bench.profile.post
    assert post is not None
    answer = bench.browser().post(post.path, dict.fromkeys(QUERY, bench.token("alice")))
    answer.must(answer.status not in post.accepted, "the POST is not accepted")


@case(
    GROUP,
    rule="Basic passes untouched in every stage that has a legacy side: it does not hide a session",
    mend="treat only the scheme Bearer; leave and count the others",
    at=DRAIN,
    sessions=("bob",),
)
def basic_beside_a_session_in_drain(bench: Bench) -> None:
    answer = bench.who(bench.browser(session="bob"), ("Authorization", "Basic eDp5"))
    bench.expect_user(answer, "bob")


@case(
    "foreign",
    rule="an issuer that only looks like a listed one is a foreign one",
    mend="compare `iss` with the list as a whole text; a list, an object or a prefix is not one",
    needs=(Need.TEST_ISSUER, Need.FOREIGN_REFUSED),
    sessions=("bob",),
)
def issuers_that_look_like_ours(bench: Bench) -> None:
    ours = bench.issuer.issuer
    for iss in (f"{ours}/", f"{ours}.evil.example", [ours], {"url": ours}, ours.upper()):
        answer = bench.who(bench.browser(session="bob"), bench.bearer("alice", iss=iss))
        bench.expect_refused(answer, 401, "foreign_bearer")


@case(
    "foreign",
    rule="a token without an issuer is a foreign one",
    mend="compare `iss` with the list as a whole text",
    needs=(Need.TEST_ISSUER, Need.FOREIGN_REFUSED),
    sessions=("bob",),
)
def no_issuer(bench: Bench) -> None:
    answer = bench.who(bench.browser(session="bob"), bench.bearer("alice", iss=None))
    bench.expect_refused(answer, 401, "foreign_bearer")


@case(
    "foreign",
    rule="below its paths a foreign bearer goes to the application's own authenticator, with the "
    "legacy session and the Auther cookie hidden from it",
    mend="remove the session's user and the Auther cookie from the request before it is handed on",
    needs=(Need.FOREIGN_PATH,),
    sessions=("bob",),
)
def handed_over_with_nothing_else(bench: Bench) -> None:
    browser = bench.browser(session="bob", cookie=bench.token("alice"))
    before = bench.metrics()
    answer = browser.get(bench.profile.foreign_whoami, bearer(OPAQUE))
    counted = bench.metrics().requests_since(before)
    seen = bench.is_user(answer, "bob") or bench.is_user(answer, "alice")
    answer.must(not seen, "the application's own authenticator sees neither bob nor alice")
    answer.must(answer.error != "foreign_bearer", "the application answers, not the shim")
    bench.expect_counted(answer, counted, "foreign *")


@case(
    "foreign",
    rule="below its paths a candidate that fails a check is still 401: it is Auther's business",
    mend="route by the unverified `iss` first, then by path",
    needs=(Need.FOREIGN_PATH, Need.TEST_ISSUER),
    sessions=("bob",),
)
def a_bad_candidate_is_not_handed_over(bench: Bench) -> None:
    browser = bench.browser(session="bob")
    answer = browser.get(bench.profile.foreign_whoami, bench.bearer("alice", exp=1))
    bench.expect_refused(answer, 401, "invalid_token")


@case(
    "foreign",
    rule="below its paths a good token of Auther's still signs in",
    mend="route by the unverified `iss` first, then by path",
    needs=(Need.FOREIGN_PATH,),
)
def a_good_candidate_signs_in_there(bench: Bench) -> None:
    answer = bench.browser().get(bench.profile.foreign_whoami, bench.bearer("alice"))
    bench.expect_user(answer, "alice")


@case(
    "foreign",
    rule="outside of its paths a foreign bearer is refused, in stage legacy and auther as in dual",
    mend="the setting is a path prefix, compared with the request's own path",
    at=LEGACY,
    needs=(Need.FOREIGN_REFUSED,),
)
def refused_elsewhere_in_legacy(bench: Bench) -> None:
    answer = bench.who(bench.browser(), bearer(OPAQUE))
    bench.expect_refused(answer, 401, "foreign_bearer")


@case(
    "foreign",
    rule="outside of its paths a foreign bearer is refused, in stage auther too",
    mend="the setting is a path prefix, compared with the request's own path",
    at=AUTHER,
    needs=(Need.FOREIGN_REFUSED,),
)
def refused_elsewhere_in_auther(bench: Bench) -> None:
    answer = bench.who(bench.browser(), bearer(OPAQUE))
    bench.expect_refused(answer, 401, "foreign_bearer")


CASES = (
    *(
        Case(
            GROUP,
            name,
            "the scheme's name has any case, and any number of blanks after it",
            _MEND_SCHEME,
            partial(_is_alice, spelling=spelling),
        )
        for name, spelling in SPELLINGS.items()
    ),
    *(
        Case(
            GROUP,
            name,
            "a bearer that is not exactly one token is foreign, and refused beside any session",
            _MEND_SCHEME,
            partial(_is_foreign, spelling=spelling),
            needs=frozenset({Need.FORM, Need.FOREIGN_REFUSED}),
            sessions=("bob",),
        )
        for name, spelling in NO_TOKEN.items()
    ),
    *(
        Case(
            GROUP,
            f"spoofed-{name}",
            "a header that names a user changes nobody's identity, however it is spelt",
            _MEND_SPOOF,
            partial(_spoofed, names=names),
            needs=frozenset({Need.FORM}),
            sessions=("bob",),
        )
        for name, names in SPOOFED.items()
    ),
    bearer_with_a_tab,
    two_authorization_headers,
    names_that_look_like_authorization,
    a_token_in_the_query,
    a_token_in_the_body,
    basic_beside_a_session_in_drain,
    issuers_that_look_like_ours,
    no_issuer,
    handed_over_with_nothing_else,
    a_bad_candidate_is_not_handed_over,
    a_good_candidate_signs_in_there,
    refused_elsewhere_in_legacy,
    refused_elsewhere_in_auther,
)
