"""What a case is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from migrator.conformance.interface import DUAL, At, Need

if TYPE_CHECKING:
    from migrator.conformance.bench import Bench
    from migrator.conformance.interface import Outcome

Check: TypeAlias = Callable[["Bench"], None]
Prepare: TypeAlias = Callable[["Bench"], Any]


@dataclass(frozen=True)
class Case:
    """One behaviour, seen from outside.

    Attributes:
        group: What it is about; with the name it is unique.
        rule: The rule it proves, as a sentence.
        mend: What to look at when it fails.
        check: Does it; raises `MismatchError` when the application behaves otherwise.
        at: Where the switch stands before it begins.
        people: Canaries that it needs beside alice and bob.
        sessions: Canaries whose legacy sessions it takes; made while the form is still open.
        prepare: Done while the form is still open, before the switch moves; the case finds what it
            gave in `bench.prepared`.
        last: It spoils key sets for a while, so it comes after all others.
    """

    group: str
    name: str
    rule: str
    mend: str
    check: Check
    at: At = DUAL
    needs: frozenset[Need] = frozenset()
    people: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    prepare: Prepare | None = None
    last: bool = False

    @property
    def title(self) -> str:
        """Give the whole name, e.g. `tokens/alg-none`."""
        return f"{self.group}/{self.name}"


def case(  # noqa: PLR0913 (what a case declares, each by its name)
    group: str,
    *,
    rule: str,
    mend: str,
    at: At = DUAL,
    needs: Iterable[Need] = (),
    people: Iterable[str] = (),
    sessions: Iterable[str] = (),
    prepare: Prepare | None = None,
    last: bool = False,
) -> Callable[[Check], Case]:
    """Make a case of a function; the function's name, with hyphens, is the case's."""

    def made(check: Check) -> Case:
        of_sessions = (Need.FORM,) if sessions else ()
        name = check.__name__.strip("_").replace("_", "-")
        all_needs = frozenset((*needs, *of_sessions))
        return Case(
            group,
            name,
            rule,
            mend,
            check,
            at,
            all_needs,
            tuple(people),
            tuple(sessions),
            prepare,
            last,
        )

    return made


@dataclass(frozen=True)
class Result:
    """A case and what came of it."""

    case: Case
    outcome: Outcome
    took_s: float
