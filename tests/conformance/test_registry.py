"""The list of cases: complete, with names of their own, each with its rule and its mend."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import pytest

from migrator.conformance import cases as package
from migrator.conformance.case import Case
from migrator.conformance.interface import DUAL, LEGACY, Need
from migrator.conformance.registry import CASES
from migrator.conformance.runner import in_order

AT_LEAST = 80


def test_there_are_enough_and_each_has_a_name_of_its_own() -> None:
    titles = Counter(case.title for case in CASES)

    assert len(CASES) >= AT_LEAST
    assert [title for title, count in titles.items() if count > 1] == []


def test_every_file_of_cases_is_in_the_registry() -> None:
    folder = Path(package.__file__).parent
    files = {path.stem for path in folder.glob("*.py") if path.stem != "__init__"}
    listed = {case.check.__module__ if hasattr(case.check, "__module__") else "" for case in CASES}
    modules = {name.rpartition(".")[2] for name in listed}
    partials = {
        getattr(case.check, "func", case.check).__module__.rpartition(".")[2] for case in CASES
    }

    assert files <= modules | partials


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_case_says_what_it_proves_and_how_it_is_mended(case: Case) -> None:
    assert len(case.rule.split()) > 3
    assert len(case.mend.split()) > 3
    assert case.title == case.title.lower()
    assert not set(case.title) & set(" _")


def test_whoever_takes_a_session_needs_the_form() -> None:
    assert [case.title for case in CASES if case.sessions and Need.FORM not in case.needs] == []


def test_cases_of_one_position_come_together_and_the_key_set_comes_last() -> None:
    ordered = in_order(CASES)

    assert sorted(case.title for case in ordered) == sorted(case.title for case in CASES)
    positions = [(case.last, case.at) for case in ordered]
    changes = sum(a != b for a, b in itertools.pairwise(positions))
    assert changes + 1 == len(set(positions))
    assert [case.last for case in ordered] == sorted(case.last for case in ordered)


def test_positions_come_as_they_first_occur() -> None:
    def one(name: str, at: object, *, last: bool = False) -> Case:
        return Case("g", name, "r", "m", lambda _: None, at, last=last)  # type: ignore[arg-type]

    given = [one("a", DUAL), one("z", DUAL, last=True), one("b", LEGACY), one("c", DUAL)]

    assert [case.name for case in in_order(given)] == ["a", "c", "b", "z"]
