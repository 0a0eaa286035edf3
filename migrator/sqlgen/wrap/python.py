"""Migrations for Python's tools: Alembic and Django."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.sqlgen.wrap.rendering import plain_sql, rendered, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.sqlgen.steps import Step
    from migrator.sqlgen.wrap.interface import Wrapped

PACKAGE = "migrator_removal"


@dataclass(frozen=True)
class AlembicRevisions:
    """Revisions on a branch of their own, `migrator_removal`, beside those of the application."""

    def files(self, plan: Wrapped) -> dict[str, str]:
        """Give the files below Alembic's folder with `env.py`."""
        made = _common("versions/" + PACKAGE, plan, "alembic")
        for step, before in _chain(plan):
            made[f"versions/{_revision(plan, step)}_{words_of(step)}.py"] = rendered(
                "alembic/revision.py.j2",
                plan,
                step=step,
                revision=_revision(plan, step),
                before=_revision(plan, before) if before else None,
            )
        return made


@dataclass(frozen=True)
class DjangoMigrations:
    """A small application, `migrator_removal`, with nothing but migrations."""

    def files(self, plan: Wrapped) -> dict[str, str]:
        """Give the files below the folder that holds the project's applications."""
        made = _common(PACKAGE, plan, "django")
        made[f"{PACKAGE}/__init__.py"] = rendered("django/package.py.j2", plan)
        made[f"{PACKAGE}/migrations/__init__.py"] = ""
        for step, before in _chain(plan):
            made[f"{PACKAGE}/migrations/{_migration(step)}.py"] = rendered(
                "django/migration.py.j2",
                plan,
                step=step,
                before=_migration(before) if before else None,
            )
        return made


def _common(folder: str, plan: Wrapped, tool: str) -> dict[str, str]:
    made = {f"{folder}/sql/{path}": text for path, text in plain_sql(plan).items()}
    made[f"{folder}/step.py"] = rendered("step.py.j2", plan, with_what=tool)
    made[f"{folder}/README.md"] = rendered(f"{tool}/README.md.j2", plan)
    return made


def _chain(plan: Wrapped) -> Iterator[tuple[Step, Step | None]]:
    return zip(plan.steps, (None, *plan.steps), strict=False)


def _revision(plan: Wrapped, step: Step) -> str:
    # Alembic keeps at most 32 characters.
    return f"migrator_{plan.plan_id[:8]}_{step.name.partition('_')[0]}"


def _migration(step: Step) -> str:
    number, _, _ = step.name.partition("_")
    return f"{int(number):04}_{words_of(step)}"
