"""Migrations for Active Record, each of which runs the plan's own file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from migrator.sqlgen.wrap.rendering import plain_sql, rendered, words_of

if TYPE_CHECKING:
    from migrator.sqlgen.wrap.interface import Wrapped

_SQL_FOLDER = "db/migrator_removal"


@dataclass(frozen=True)
class RailsMigrations:
    """`db/migrate/<time>_migrator_remove_01_guard.rb`, …; the SQL and what runs it beside them."""

    def files(self, plan: Wrapped) -> dict[str, str]:
        """Give the files below the application's root."""
        made = {f"{_SQL_FOLDER}/{path}": text for path, text in plain_sql(plan).items()}
        made[f"{_SQL_FOLDER}/step.rb"] = rendered("rails/step.rb.j2", plan)
        made[f"{_SQL_FOLDER}/README.md"] = rendered("rails/README.md.j2", plan)
        for place, step in enumerate(plan.steps):
            version = (plan.made_at + timedelta(seconds=place)).strftime("%Y%m%d%H%M%S")
            number = step.name.partition("_")[0]
            class_name = f"MigratorRemove{number}" + words_of(step).title().replace("_", "")
            made[f"db/migrate/{version}_migrator_remove{number}_{words_of(step)}.rb"] = rendered(
                "rails/migration.rb.j2", plan, step=step, class_name=class_name
            )
        return made
