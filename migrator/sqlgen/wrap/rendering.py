"""Renders the wrappers' templates, which are files of the target language."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from migrator.core.sql import ident, literal
from migrator.core.units import UNIT_PATTERN, heading_of, units_of
from migrator.sqlgen.environment import environment_of
from migrator.sqlgen.naming import GUARD
from migrator.sqlgen.steps import GUARD as FIRST_STEP

if TYPE_CHECKING:
    from jinja2 import Environment

    from migrator.sqlgen.steps import Step
    from migrator.sqlgen.wrap.interface import Wrapped


def rendered(template: str, plan: Wrapped, **values: Any) -> str:
    """Fill a template in; all of them know the plan."""
    return _environment().get_template(template).render(plan=plan, **values)


def plain_sql(plan: Wrapped) -> dict[str, str]:
    """Give the plan's own deploy and revert files, for tools that cut them into units themselves."""
    return {
        f"{direction}/{step.name}.sql": plan.of(direction, step)
        for step in plan.steps
        for direction in ("deploy", "revert")
    }


def words_of(step: Step) -> str:
    """Give a step's name without its number, e.g. `quarantine_tables`."""
    return step.name.partition("_")[2]


@cache
def _environment() -> Environment:
    environment = environment_of("migrator.sqlgen.wrap")
    environment.globals.update(
        ident=ident,
        literal=literal,
        quoted=json.dumps,
        ruby_quoted=_ruby_quoted,
        guard=GUARD,
        first_step=FIRST_STEP,
        heading_of=heading_of,
        units_of=units_of,
        unit_pattern=UNIT_PATTERN,
    )
    return environment


def _ruby_quoted(text: str) -> str:
    # A table may be called #{…}, which Ruby would run.
    return json.dumps(text).replace("#", "\\#")
