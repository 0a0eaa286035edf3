from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from migrator.config.gate import GateSection
from migrator.gates.evaluate import Sample, evaluate
from migrator.gates.explain import explain
from migrator.gates.words import WORDS
from migrator.metrics.interface import Grade
from tests.gates.specs import AT, MINUTE, sample, spec

if TYPE_CHECKING:
    from migrator.gates.spec import GateSpec

QUIET = spec()


def said(samples: list[Sample], *, minute: float, refusal: str = "") -> dict[str, str]:
    now = AT + minute * MINUTE
    return dict(explain(evaluate(QUIET, samples, now=now), now=now, refusal=refusal))


def test_a_gate_that_is_held_says_since_when_and_what_was_last_good() -> None:
    samples = [
        *(sample(m) for m in range(4)),
        sample(4, Grade.UNPROVEN),
        sample(5, Grade.UNPROVEN),
    ]
    found = said(samples, minute=5.5, refusal="it is HELD")
    assert found["gate"] == "legacy-quiet, before auther: HELD"
    assert found["since"] == "2026-11-23T03:04:00.000000Z (1m 30s ago)"
    assert found["last OK"] == "2026-11-23T03:03:00.000000Z (2m 30s ago)"
    assert found["missing"] == "0 of 3 OK in a row, 5m of 10m"
    assert found["do"].startswith("bring the named instance")
    assert found["override"] == "it is HELD"
    assert found["next look"] == "2026-11-23T03:06:00.000000Z"


def test_a_breach_says_how_to_mend_it_and_how_to_override_it() -> None:
    found = said([sample(0), sample(1, Grade.BREACH)], minute=1)
    assert found["do"] == WORDS["legacy_requests"].mend
    assert found["override"] == "migrator gate override legacy-quiet --reason TEXT"
    assert found["measured"] == "1 at 2026-11-23T03:01:00.000000Z, which is BREACH"


def test_a_pass_names_the_step_and_its_end() -> None:
    found = said([sample(m) for m in range(11)], minute=60)
    assert found["why"] == "is OK, 11 times in a row over 10m"
    assert found["since"] == "2026-11-23T03:00:00.000000Z (1h ago)"
    assert found["do"] == "migrator dual-path stage set auther"
    assert found["good until"] == "2026-11-24T03:10:00.000000Z"
    assert {"override", "missing", "next look"} & set(found) == set()


def test_a_pass_before_the_removal_names_its_command() -> None:
    removal = spec(before="remove", consecutive=1, span=timedelta(0))
    verdict = evaluate(removal, [sample(0, of=removal)], now=AT)
    assert dict(explain(verdict, now=AT, refusal=""))["do"] == "migrator remove apply"


def test_what_it_says_comes_in_the_order_of_the_questions() -> None:
    found = said([sample(0), sample(1, Grade.ERROR)], minute=1)
    assert list(found) == [
        "gate",
        "measures",
        "asks for",
        "why",
        "measured",
        "since",
        "last OK",
        "missing",
        "do",
        "next look",
        "override",
    ]
    assert found["measures"] == WORDS["legacy_requests"].counts
    assert found["measured"] == "nothing at 2026-11-23T03:01:00.000000Z, which is ERROR"


def test_before_the_first_look_and_after_a_silence_it_says_to_look() -> None:
    look = "migrator gate check legacy-quiet --wait"
    never = said([], minute=0)
    assert (never["measured"], never["last OK"]) == ("never", "never in these samples")
    assert never["do"] == look
    silent = said([sample(0)], minute=30)
    assert silent["do"] == look
    assert silent["since"] == "2026-11-23T03:03:00.000000Z (27m ago)"


def asked_by(gate: GateSpec) -> str:
    verdict = evaluate(gate, [], now=AT)
    return dict(explain(verdict, now=AT, refusal=""))["asks for"]


def test_it_asks_for_what_the_specification_says() -> None:
    assert (
        said([sample(0)], minute=0)["asks for"]
        == "at most 0, 3 in a row over 10m, a look every 1m"
    )
    assert asked_by(spec(consecutive=1, span=timedelta(0))) == "at most 0, 1 in a row"
    twice = asked_by(spec(consecutive=2, span=timedelta(0)))
    assert twice == "at most 0, 2 in a row, a look every 1m"


@pytest.mark.parametrize("measure", GateSection.model_fields["measure"].annotation.__args__)  # type: ignore[union-attr]
def test_every_measurement_is_said_in_words(measure: str) -> None:
    assert all(WORDS[measure])  # type: ignore[index]
