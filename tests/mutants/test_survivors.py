"""The list of survivors is read as it is written, and stays true."""

from __future__ import annotations

import tomllib

import pytest

from tests.mutants.survivors import Change, allowed, entry, outdated, unexplained
from tests.mutants.workspace import function_of

DIFF = """\
# migrator.gates.evaluate.x__covered__mutmut_7: survived
--- migrator/gates/evaluate.py
+++ migrator/gates/evaluate.py
@@ -1,3 +1,2 @@
 def _covered(run):
-    begins = run[-1].at - spec.span
-    rest = 'it'
+    begins = None
     return 1.0 if run else 0.0
"""
CHANGE = Change("migrator.gates.evaluate._covered", "a < b", "a <= b")
OTHER = Change("migrator.sqlgen.render.render", "it's '%'", r"r'\d'")


def test_a_change_is_what_a_diff_takes_away_and_puts_there() -> None:
    found = Change.of("f", DIFF.splitlines())
    assert found == ("f", "begins = run[-1].at - spec.span rest = 'it'", "begins = None")


@pytest.mark.parametrize(
    ("mutant", "function"),
    [
        ("migrator.gates.evaluate.x__covered__mutmut_12", "migrator.gates.evaluate._covered"),
        ("migrator.sqlgen.removal.xǁRemovalǁkept__mutmut_1", "migrator.sqlgen.removal.Removal.kept"),
        ("migrator.gates.spec.x_spec_of__mutmut_3", "migrator.gates.spec.spec_of"),
    ],
)  # fmt: skip
def test_a_mutants_name_tells_its_function(mutant: str, function: str) -> None:
    assert function_of(mutant) == function


@pytest.mark.parametrize("change", [CHANGE, OTHER])
def test_what_is_printed_can_be_put_into_the_list(change: Change) -> None:
    (read,) = tomllib.loads(entry(change))["survivor"]
    assert read == {**change._asdict(), "reason": ""}


def test_a_survivor_needs_a_reason_and_a_reason_a_survivor() -> None:
    reasons = {CHANGE: "the same sum", OTHER: ""}
    assert unexplained([CHANGE, OTHER], reasons) == [OTHER]
    assert unexplained([OTHER], {}) == [OTHER]
    assert outdated([], reasons, "migrator.gates") == [CHANGE]
    assert outdated([CHANGE], reasons, "migrator.gates") == []


def test_every_survivor_of_the_list_has_its_reason() -> None:
    assert all(allowed().values())
