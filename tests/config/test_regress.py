from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from migrator.cli.init import render
from migrator.config.load import load
from migrator.config.regress import RegressSection
from migrator.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

ERRORS = {"name": "errors", "measure": "error_ratio", "at_most": 0.05}


def test_nothing_goes_back_by_itself_unless_it_is_written() -> None:
    assert not RegressSection.model_validate(ERRORS).roll_back


def test_log_lines_which_strangers_can_write_take_nothing_back(tmp_path: Path) -> None:
    text = (
        render("shop", verified_when="confirmed")
        + '[[drain.logs]]\ninstance = "a"\nfiles = "a.log"\n'
    )
    text = text.replace('counters = "shims"', 'counters = "logs"')
    path = tmp_path / "migrator.toml"
    path.write_text(text)
    assert load(path).drain.counters == "logs"
    path.write_text(text.replace("roll_back = false", "roll_back = true", 1))
    with pytest.raises(UsageError, match="whoever the application logs a text of"):
        load(path)


def test_an_empty_list_of_instances_expects_nobody(tmp_path: Path) -> None:
    text = render("shop", verified_when="confirmed")
    path = tmp_path / "migrator.toml"
    path.write_text(text.replace("expected_instances = 1", "expected_instances = []"))
    with pytest.raises(UsageError, match="expected_instances"):
        load(path)


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
