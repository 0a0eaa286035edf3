from __future__ import annotations

import pytest
from pydantic import ValidationError

from migrator.config.regress import RegressSection

ERRORS = {"name": "errors", "measure": "error_ratio", "at_most": 0.05}


def test_nothing_goes_back_by_itself_unless_it_is_written() -> None:
    assert not RegressSection.model_validate(ERRORS).roll_back


@pytest.mark.parametrize(
    "wrong",
    [
        {"measure": "legacy_requests"},
        {"measure": "legacy_sessions"},
        {"measure": "users_seen_on_legacy"},
        {"at_least": 0.01},
        {"at_most": None},
        {"consecutive": 1},
        {"interval": "0s"},
    ],
)
def test_a_regress_is_about_health_with_one_bound_and_never_acts_on_one_look(
    wrong: dict[str, object],
) -> None:
    with pytest.raises(ValidationError):
        RegressSection.model_validate(ERRORS | wrong)
