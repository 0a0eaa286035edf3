"""The pages of a plan for people: the order of everything, and what the code gives up."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

from migrator.sqlgen.code_removal import FOLDER, IGNORING_DIFF, TAKE_OUT_DIFF
from migrator.sqlgen.dialect import DIALECTS
from migrator.sqlgen.environment import environment_of
from migrator.sqlgen.render import on_one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment

    from migrator.sqlgen.code_removal import CodeRemoval
    from migrator.sqlgen.removal import Removal


def pages(
    removal: Removal, code: CodeRemoval, *, wraps: Sequence[str], notes: Sequence[str]
) -> dict[str, str]:
    """Give the pages, and the diffs that they name, by path.

    Args:
        removal: What goes.
        code: What of the code goes.
        wraps: Tools that the plan is wrapped for.
        notes: What a person should look at before applying.
    """
    diffs, dialect = code.diffs(removal), DIALECTS[removal.dialect]
    page = (
        _environment()
        .get_template("pages/code.md.j2")
        .render(
            removal=removal,
            code=code,
            places=code.places(removal),
            notes=code.notes(removal),
            uses=code.application.shim_uses if code.application else (),
            quoted_columns=", ".join(json.dumps(name) for name in removal.names),
            ignoring_diff=IGNORING_DIFF if IGNORING_DIFF in diffs else "",
            take_out_diff=TAKE_OUT_DIFF if TAKE_OUT_DIFF in diffs else "",
        )
    )
    order = (
        _environment()
        .get_template("pages/README.md.j2")
        .render(
            removal=removal,
            steps=dialect.steps_of(removal),
            wraps=wraps,
            exceptions=dialect.exceptions(removal),
            notes=notes,
        )
    )
    return {"README.md": order, f"{FOLDER}/README.md": page, **diffs}


@cache
def _environment() -> Environment:
    environment = environment_of("migrator.sqlgen")
    environment.filters["comment"] = on_one_line
    return environment
