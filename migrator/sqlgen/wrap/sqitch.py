"""A sqitch project of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.sqlgen.wrap.psql import BACK, FORWARD, resumable
from migrator.sqlgen.wrap.rendering import rendered

if TYPE_CHECKING:
    from migrator.sqlgen.wrap.interface import Wrapped


@dataclass(frozen=True)
class SqitchProject:
    """`sqitch.conf`, `sqitch.plan`, `deploy/`, `revert/`, `verify/`."""

    def files(self, plan: Wrapped) -> dict[str, str]:
        """Give the files of a folder of its own."""
        made = {
            "README.md": rendered("sqitch/README.md.j2", plan),
            "sqitch.conf": rendered("sqitch/sqitch.conf.j2", plan),
            "sqitch.plan": rendered(
                "sqitch/sqitch.plan.j2", plan, at=plan.made_at.strftime("%Y-%m-%dT%H:%M:%SZ")
            ),
        }
        for step in plan.steps:
            for direction in (FORWARD, BACK):
                made[f"{direction}/{step.name}.sql"] = resumable(
                    plan, step, direction, with_what="sqitch"
                )
            made[f"verify/{step.name}.sql"] = plan.of("verify", step)
        return made
