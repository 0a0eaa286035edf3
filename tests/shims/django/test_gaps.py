"""Why Django misses conformance cases."""

from migrator.conformance.interface import Need
from migrator.conformance.registry import CASES
from tests.shims.django.test_conformance import GAPS


def test_what_is_missing_is_what_needs_a_remember_me_and_nothing_else() -> None:
    assert {case.title for case in CASES if Need.REMEMBER_ME in case.needs} == GAPS
