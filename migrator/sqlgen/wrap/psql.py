"""Plain numbered SQL for psql, with a script that asks the gates before each step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.sqlgen.wrap.rendering import rendered

if TYPE_CHECKING:
    from migrator.sqlgen.steps import Step
    from migrator.sqlgen.wrap.interface import Wrapped

FORWARD, BACK = "deploy", "revert"


@dataclass(frozen=True)
class NumberedSql:
    """`01_guard.up.sql`, `01_guard.down.sql`, `01_guard.verify.sql`, …, and `step.sh`."""

    def files(self, plan: Wrapped) -> dict[str, str]:
        """Give the files of a folder of its own."""
        made = {"README.md": rendered("sql/README.md.j2", plan)}
        made["step.sh"] = rendered("sql/step.sh.j2", plan)
        for step in plan.steps:
            made[f"{step.name}.up.sql"] = resumable(plan, step, FORWARD, with_what="psql")
            made[f"{step.name}.down.sql"] = resumable(plan, step, BACK, with_what="psql")
            made[f"{step.name}.verify.sql"] = plan.of("verify", step)
        return made


def resumable(plan: Wrapped, step: Step, direction: str, *, with_what: str) -> str:
    """Give a file for psql that skips what is done, so that after an interruption it may run again."""
    return rendered(
        "sql/resumable.sql.j2",
        plan,
        step=step,
        direction=direction,
        with_what=with_what,
        text=plan.of(direction, step),
    )
