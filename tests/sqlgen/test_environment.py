"""Templates of pages leave no lines of blocks behind, escape nothing, and let no value be missing."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from migrator.sqlgen.environment import environment_of


def test_blocks_leave_nothing_behind_and_the_last_line_ends() -> None:
    text = "a\n  {% if true %}\n  {{ b }}\n  {% endif %}\nc\n"
    assert environment_of("migrator.sqlgen").from_string(text).render(b="<&>") == "a\n  <&>\nc\n"


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        environment_of("migrator.sqlgen").from_string("{{ nobody }}").render()


@pytest.mark.parametrize(
    ("package", "template"),
    [("migrator.sqlgen", "pages/README.md.j2"), ("migrator.sqlgen.wrap", "step.py.j2")],
)
def test_each_package_has_templates_of_its_own(package: str, template: str) -> None:
    assert template in environment_of(package).list_templates()
