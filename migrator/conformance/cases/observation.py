"""What the shim tells about itself: the positive control, and metrics for whoever has the token."""

from __future__ import annotations

import secrets
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from migrator.conformance.browser import Browser
from migrator.conformance.case import Case, case
from migrator.conformance.counters import METRICS_PATH, samples_of
from migrator.conformance.interface import AUTHER, DRAIN, LEGACY, Need
from migrator.metrics.control import HEADER, NONCE_BYTES, marker
from migrator.metrics.exported import DURATION, DURATION_BUCKETS_S, LABELS, REQUESTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.conformance.bench import Bench
    from migrator.conformance.browser import Answer

GROUP = "observation"
NEEDS = (Need.CONTROL,)
_MEND = (
    "check the marker before the decision, once per nonce, and answer 204 whatever is beside it"
)
_OWN = ("auth_", "migrator_")
_LABELS = {"path": "legacy", "outcome": "accepted", "synthetic": "1"}


def _marker(
    bench: Bench, *, secret: str = "", ago: timedelta = timedelta(), nonce: str = ""
) -> str:
    at = bench.clock.now() - ago
    nonce = nonce or secrets.token_hex(NONCE_BYTES)
    return marker(secret or bench.site.control_secret, at=at, nonce=nonce)


def _counted(bench: Bench) -> None:
    before = bench.metrics()
    answer = bench.who(bench.browser(), (HEADER, _marker(bench)))
    after = bench.metrics()
    answer.must(answer.status == 204, "204")
    answer.must(not answer.text, "an empty body")
    grown = after.grown_since(before, REQUESTS, **_LABELS)
    answer.must(grown == 1, "auth_requests_total{path=legacy,synthetic=1} grows by one")
    answer.must(not after.requests_since(before), "no real request is counted")


def _is_nothing(bench: Bench, value: str) -> None:
    before = bench.metrics()
    answer = bench.who(bench.browser(), (HEADER, value))
    bench.expect_user(answer, None)
    grown = bench.metrics().grown_since(before, REQUESTS, **_LABELS)
    answer.must(grown == 0, "no synthetic request is counted")


def _bad_is_nothing(bench: Bench, make: Callable[[Bench], str]) -> None:
    _is_nothing(bench, make(bench))


BAD: dict[str, Callable[[Bench], str]] = {
    "forged": lambda bench: _marker(bench, secret="another secret"),  # noqa: S106
    "old": lambda bench: _marker(bench, ago=timedelta(seconds=90)),
    "of-the-future": lambda bench: _marker(bench, ago=-timedelta(seconds=90)),
    "cut": lambda bench: _marker(bench)[:-1],
    "nonsense": lambda _: "v1.x.y.z",
    "empty": lambda _: "",
}


@case(
    GROUP,
    rule="a marker cannot be replayed: the second time it is an ordinary request",
    mend="keep each nonce for twice the window",
    needs=NEEDS,
)
def a_marker_twice(bench: Bench) -> None:
    value = _marker(bench)
    bench.who(bench.browser(), (HEADER, value))
    _is_nothing(bench, value)


@case(
    GROUP,
    rule="a marker authenticates nobody and hides nothing: the session beside it is not used",
    mend=_MEND,
    needs=NEEDS,
    sessions=("bob",),
)
def a_marker_beside_a_session(bench: Bench) -> None:
    browser = bench.browser(session="bob", cookie=bench.token("alice"))
    answer = bench.who(browser, (HEADER, _marker(bench)))
    answer.must(answer.status == 204 and not answer.text, "204 and nothing else")


@case(
    GROUP,
    rule="a marker does not open a path that needs a user",
    mend=_MEND,
    needs=(*NEEDS, Need.POST),
)
def a_marker_on_a_post(bench: Bench) -> None:
    post = bench.profile.post
    path = post.path if post else ""
    answer = bench.browser().post(path, {}, headers={HEADER: _marker(bench)})
    answer.must(answer.status == 204, "204: the application does not run")


@case(
    GROUP,
    rule="the metrics are for whoever has the token; to others the path does not exist",
    mend="compare the bearer in constant time; without a configured token answer 404",
)
def metrics_need_their_token(bench: Bench) -> None:
    token = bench.site.metrics_token
    wrong = (None, "Bearer wrong", f"Basic {token}", f"Bearer {token}x", token, "Bearer")
    for value in wrong:
        headers = [("Authorization", value)] if value is not None else []
        answer = Browser(bench.wire).get(METRICS_PATH, *headers)
        answer.must(answer.status == 404, "404")
    answer = Browser(bench.wire).get(f"{METRICS_PATH}?token={token}")
    answer.must(answer.status == 404, "404: no token in the query")


@case(
    GROUP,
    rule="counters have closed labels: no id, address or token in them",
    mend="labels are path, outcome, stage, reason, door, side, result: each from a short list",
)
def labels_are_closed(bench: Bench) -> None:
    answer = _metrics(bench)
    for person in bench.people.values():
        named = [text for text in (person.email, person.auther_id) if text in answer.text]
        answer.must(not named, f"nothing of {person.name} in the metrics")


@case(
    GROUP,
    rule="names and labels are alike in every language: rules and dashboards are made for them",
    mend="count under the names and labels of migrator/metrics/exported.py",
)
def names_are_alike(bench: Bench) -> None:
    answer = _metrics(bench)
    for sample in samples_of(answer.text):
        if not sample.name.startswith(_OWN) or sample.name.endswith("_created"):
            continue
        known = LABELS.get(sample.name)
        answer.must(known == sample.labels.keys(), f"{sample.name} with the labels {known}")


@case(
    GROUP,
    rule="each decision is timed, until the application may run",
    mend="observe each decision once, in the buckets of migrator/metrics/exported.py",
)
def decisions_are_timed(bench: Bench) -> None:
    before = _durations(bench)
    answer = bench.who(bench.browser())
    after = _durations(bench)
    bounds = [*map(float, DURATION_BUCKETS_S), float("inf")]
    answer.must(list(after) == bounds, f"the buckets of {DURATION} end at {bounds}")
    grown = [after[bound] - before.get(bound, 0) for bound in bounds]
    answer.must(
        grown[-1] == 1 and grown == sorted(grown), "one request more, in the larger buckets"
    )
    gauges = bench.metrics().gauges
    answer.must(gauges.get(f"{DURATION}_count") == after[bounds[-1]], "_count is the last bucket")
    answer.must(gauges.get(f"{DURATION}_sum", 0) > 0, "_sum is the seconds")


def _metrics(bench: Bench) -> Answer:
    bearer = ("Authorization", f"Bearer {bench.site.metrics_token}")
    return Browser(bench.wire).get(METRICS_PATH, bearer)


def _durations(bench: Bench) -> dict[float, float]:
    buckets = (s for s in samples_of(_metrics(bench).text) if s.name == f"{DURATION}_bucket")
    return {float(sample.labels["le"]): sample.value for sample in buckets}


@case(
    GROUP,
    rule="the detection control sees its fixture: a renamed cookie would otherwise blind it",
    mend="run a sealed legacy session through the real detector at start and each minute",
)
def the_detector_sees_its_fixture(bench: Bench) -> None:
    answer = _metrics(bench)
    found = bench.metrics().gauges.get("auth_detector_sees_fixture")
    answer.must(found == 1, f"auth_detector_sees_fixture 1, not {found}")


CASES = (
    *(
        Case(
            GROUP,
            f"marker-in-{at.stage}",
            f"a marker moves the legacy counter by one in stage {at.stage}, and answers 204",
            _MEND,
            _counted,
            at,
            needs=frozenset(NEEDS),
        )
        for at in (LEGACY, DRAIN, AUTHER)
    ),
    *(
        Case(
            GROUP,
            f"marker-{name}",
            f"a marker that is {name.replace('-', ' ')} is as if it were not there",
            "check version, time, nonce and HMAC; a bad marker is no error",
            partial(_bad_is_nothing, make=make),
            needs=frozenset(NEEDS),
        )
        for name, make in BAD.items()
    ),
    a_marker_twice,
    a_marker_beside_a_session,
    a_marker_on_a_post,
    metrics_need_their_token,
    labels_are_closed,
    names_are_alike,
    decisions_are_timed,
    the_detector_sees_its_fixture,
)
