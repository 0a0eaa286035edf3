"""A case that goes wrong fails by itself: the others are run all the same."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from migrator.conformance.case import Case
from migrator.conformance.interface import Failed, Passed
from migrator.conformance.runner import run
from migrator.core.errors import DependencyError

if TYPE_CHECKING:
    from migrator.conformance.bench import Bench

SECRET = "eyJ-a-token"


def bench() -> Bench:
    scene = SimpleNamespace(restore=lambda: None)
    found = SimpleNamespace(
        scene=scene,
        site=SimpleNamespace(missing=frozenset()),
        people={},
        kept={},
        prepared=None,
        set_stage=lambda _at: None,
    )
    return cast("Bench", found)


def of(name: str, *, error: Exception | None = None, preparing: bool = False) -> Case:
    def stumbles(_: Bench) -> None:
        if error is not None:
            raise error

    prepare = stumbles if preparing else None
    check = (lambda _: None) if preparing else stumbles
    return Case("g", name, "r", "m", check, prepare=prepare)


@pytest.mark.parametrize("preparing", [False, True], ids=["checking", "preparing"])
def test_an_unexpected_error_fails_its_case_and_no_other(*, preparing: bool) -> None:
    cases = [of("a", error=KeyError(SECRET), preparing=preparing), of("b")]

    first, second = run(bench(), cases, after_each=lambda _: None)

    assert isinstance(first.outcome, Failed)
    assert "KeyError at line" in first.outcome.came_back
    assert SECRET not in first.outcome.came_back
    assert second.outcome == Passed()


def test_an_application_whose_database_fails_ends_the_run() -> None:
    with pytest.raises(DependencyError):
        run(bench(), [of("a", error=DependencyError("gone"))], after_each=lambda _: None)
