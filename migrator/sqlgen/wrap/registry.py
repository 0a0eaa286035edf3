"""The tools that a plan can be wrapped for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sqlgen.wrap.psql import NumberedSql
from migrator.sqlgen.wrap.python import AlembicRevisions, DjangoMigrations
from migrator.sqlgen.wrap.rails import RailsMigrations
from migrator.sqlgen.wrap.sqitch import SqitchProject

if TYPE_CHECKING:
    from migrator.sqlgen.wrap.interface import Wrapper

# Keys are what `remove plan --wrap` takes.
WRAPPERS: dict[str, Wrapper] = {
    "rails": RailsMigrations(),
    "sql": NumberedSql(),
    "alembic": AlembicRevisions(),
    "django": DjangoMigrations(),
    "sqitch": SqitchProject(),
}
