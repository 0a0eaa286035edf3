"""Just-in-time rows: made once, never linked by e-mail, not for who was deleted."""

from __future__ import annotations

import secrets
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from migrator.conformance.bench import bearer, random_email
from migrator.conformance.case import case
from migrator.conformance.interface import AUTHER, Need

if TYPE_CHECKING:
    from migrator.conformance.bench import Bench
    from migrator.conformance.browser import Answer

GROUP = "newcomers"
NEEDS = (Need.JIT, Need.TEST_ISSUER)
AT_ONCE = 50
_MEND = "call the SQL function migrator_new_user for a verified sub that nothing links"


def _first_request(bench: Bench, sub: str, email: str | None) -> Answer:
    token = bench.issuer.make_token(sub, email=email)
    return bench.who(bench.browser(), bearer(token))


def _new_sub() -> str:
    return f"verify-{secrets.token_hex(12)}"


def _sees(answer: Answer, pk: str) -> bool:
    body = answer.json()
    return isinstance(body, dict) and str(body.get("user")) == pk


@case(
    GROUP, rule="a first request makes one shadow row, and is that user's", mend=_MEND, needs=NEEDS
)
def a_first_request(bench: Bench) -> None:
    sub = _new_sub()
    before = bench.metrics()
    answer = _first_request(bench, sub, random_email())
    users = bench.scene.users_of(sub)
    answer.must(len(users) == 1, "one row for the new user")
    answer.must(_sees(answer, users[0]), "200, and the user is the new one")
    grown = bench.metrics().grown_since(before, "auth_jit_total", result="created")
    answer.must(grown == 1, 'auth_jit_total{result="created"} grows by one')
    again = _first_request(bench, sub, random_email())
    again.must(_sees(again, users[0]), "the same user at the second request")


@case(
    GROUP,
    rule="fifty first requests at once make one shadow row",
    mend="one INSERT … ON CONFLICT (auther_id): the database decides who was first",
    needs=NEEDS,
)
def fifty_first_requests(bench: Bench) -> None:
    sub = _new_sub()
    token = bench.issuer.make_token(sub, email=random_email())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(
            pool.map(lambda _: bench.who(bench.browser(), bearer(token)), range(AT_ONCE))
        )
    users = bench.scene.users_of(sub)
    answers[0].must(len(users) == 1, "one row for the new user")
    statuses = Counter(answer.status for answer in answers)
    others = next((one for one in answers if not _sees(one, users[0])), answers[0])
    others.must(_sees(others, users[0]), f"fifty times 200, not {dict(statuses)}")


@case(
    GROUP,
    rule="a new sub whose e-mail a local row has is 409 identity_unlinked: never linked by e-mail",
    mend="an e-mail is no identity; only the import or a person links",
    needs=NEEDS,
)
def never_linked_by_email(bench: Bench) -> None:
    sub, alice = _new_sub(), bench.person("alice")
    answer = _first_request(bench, sub, alice.email)
    bench.expect_refused(answer, 409, "identity_unlinked")
    capitals = _first_request(bench, sub, alice.email.upper())
    bench.expect_refused(capitals, 409, "identity_unlinked")
    answer.must(bench.scene.users_of(sub) == (), "no row")


@case(
    GROUP,
    rule="without an e-mail nobody gets a row: 409 identity_unlinked",
    mend=_MEND,
    needs=NEEDS,
)
def without_an_email(bench: Bench) -> None:
    sub = _new_sub()
    answer = _first_request(bench, sub, None)
    bench.expect_refused(answer, 409, "identity_unlinked")
    answer.must(bench.scene.users_of(sub) == (), "no row")


@case(
    GROUP,
    rule="who was deleted at Auther stays gone while a token may live: no row, 401",
    mend="a tombstone outlives the longest token; look before the row is made",
    needs=NEEDS,
)
def deleted_at_auther(bench: Bench) -> None:
    sub = _new_sub()
    bench.scene.bury(sub)
    answer = _first_request(bench, sub, random_email())
    bench.expect_refused(answer, 401, "invalid_token")
    answer.must(bench.scene.users_of(sub) == (), "no row")


@case(
    GROUP,
    rule="a refused token makes no row",
    mend="make rows for verified tokens only",
    needs=NEEDS,
)
def a_bad_token_makes_no_row(bench: Bench) -> None:
    sub = _new_sub()
    token = bench.issuer.make_token(sub, email=random_email(), aud="another-client")
    answer = bench.who(bench.browser(), bearer(token))
    bench.expect_refused(answer, 401, "invalid_token")
    answer.must(bench.scene.users_of(sub) == (), "no row")


@case(GROUP, rule="newcomers get in in stage auther too", mend=_MEND, at=AUTHER, needs=NEEDS)
def in_stage_auther(bench: Bench) -> None:
    sub = _new_sub()
    answer = _first_request(bench, sub, random_email())
    users = bench.scene.users_of(sub)
    answer.must(len(users) == 1 and _sees(answer, users[0]), "200, and the user is the new one")


CASES = (
    a_first_request,
    fifty_first_requests,
    never_linked_by_email,
    without_an_email,
    deleted_at_auther,
    a_bad_token_makes_no_row,
    in_stage_auther,
)
