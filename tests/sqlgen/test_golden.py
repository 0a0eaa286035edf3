"""Plans are what they were, as plain files: a change of any line is seen, and meant."""

from __future__ import annotations

import pytest

from tests.sqlgen.golden import GOLDEN_PLANS, kept


@pytest.mark.parametrize("name", GOLDEN_PLANS)
def test_what_is_made_is_what_is_kept(name: str) -> None:
    made = GOLDEN_PLANS[name]()
    before = kept(name)
    assert sorted(made) == sorted(before)
    assert {path: text for path, text in made.items() if text != before[path]} == {}
