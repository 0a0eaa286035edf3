import pytest
from migrator.conformance.registry import CASES
from migrator.conformance.interface import Passed
from tests.shims.hono.test_conformance import verify  # noqa

def test_dump(verify):
    bad = {t: r.outcome for t, r in verify(CASES).items() if not isinstance(r.outcome, Passed)}
    for t, o in bad.items():
        print(t, o)
    assert not bad
