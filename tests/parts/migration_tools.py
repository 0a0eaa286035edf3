"""The tools that a removal is wrapped for, each with a project of its own. Knows nothing of pytest."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.conninfo import conninfo_to_dict

from tests.parts.postgres import embedded_binaries
from tests.parts.rails import RAILS
from tests.parts.rails import SOURCE as RAILS_APP

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Tool(ABC):
    """One tool.

    Attributes:
        folder: Its project, made from what the wrapper wrote.
        dsn: The application's database.
        part: A key of tests.parts.availability.PARTS; '' when Python's packages suffice.
    """

    folder: Path
    dsn: str
    part = ""

    @abstractmethod
    def prepare(self, wrapped: Path) -> None:
        """Make a project with the wrapper's files in it."""

    @abstractmethod
    def up(self) -> str:
        """Go forward as far as possible and give what was said."""

    @abstractmethod
    def down(self) -> str:
        """Take everything back."""

    def run(self, *command: str | Path) -> str:
        """Run a command in the project and give all that it said, whatever came of it."""
        parts = conninfo_to_dict(self.dsn)
        names = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER"}
        place = {name: str(parts[key]) for key, name in names.items()}
        path = f"{embedded_binaries()}{os.pathsep}{os.environ['PATH']}"
        more = {"PATH": path, "PGPASSWORD": str(parts["password"]), "DATABASE_URL": self.dsn}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=os.environ | RAILS | place | more | {"RAILS_ENV": "test"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr


class Psql(Tool):
    """The numbered files; forward and back by the files themselves, without the gates' script."""

    def prepare(self, wrapped: Path) -> None:
        shutil.copytree(wrapped, self.folder, dirs_exist_ok=True)

    def up(self) -> str:
        return self._each(sorted(self.folder.glob("*.up.sql")))

    def down(self) -> str:
        return self._each(sorted(self.folder.glob("*.down.sql"), reverse=True))

    def _each(self, files: list[Path]) -> str:
        options = [word for file in files for word in ("-f", str(file))]
        return self.run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *options)


class Sqitch(Tool):
    """A project of its own."""

    part = "sqitch"

    def prepare(self, wrapped: Path) -> None:
        shutil.copytree(wrapped, self.folder, dirs_exist_ok=True)

    def up(self) -> str:
        return self.run("sqitch", "deploy", "--target", "db:pg:")

    def down(self) -> str:
        return self.run("sqitch", "revert", "-y", "--target", "db:pg:")


class Alembic(Tool):
    """A folder of revisions with the usual env.py."""

    def prepare(self, wrapped: Path) -> None:
        (self.folder / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
        shutil.copytree(wrapped, self.folder / "migrations")
        (self.folder / "migrations" / "env.py").write_text(
            "import os\n"
            "from alembic import context\n"
            "from sqlalchemy import create_engine\n\n"
            "url = os.environ['DATABASE_URL'].replace('postgresql:', 'postgresql+psycopg:')\n"
            "with create_engine(url).connect() as connection:\n"
            "    context.configure(connection=connection, transaction_per_migration=True)\n"
            "    with context.begin_transaction():\n"
            "        context.run_migrations()\n"
        )

    def up(self) -> str:
        return self._alembic("upgrade", "migrator_removal@head")

    def down(self) -> str:
        return self._alembic("downgrade", "migrator_removal@base")

    def _alembic(self, *words: str) -> str:
        return self.run(sys.executable, "-m", "alembic", *words)


class Django(Tool):
    """A project with nothing but the wrapper's application."""

    def prepare(self, wrapped: Path) -> None:
        shutil.copytree(wrapped, self.folder, dirs_exist_ok=True)
        (self.folder / "settings.py").write_text(
            "import os\n"
            "names = {'NAME': 'PGDATABASE', 'USER': 'PGUSER', 'PASSWORD': 'PGPASSWORD',\n"
            "         'HOST': 'PGHOST', 'PORT': 'PGPORT'}\n"
            "place = {key: os.environ[name] for key, name in names.items()}\n"
            "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', **place}}\n"
            "INSTALLED_APPS = ['migrator_removal']\n"
        )

    def up(self) -> str:
        return self._manage("migrate", "migrator_removal")

    def down(self) -> str:
        return self._manage("migrate", "migrator_removal", "zero")

    def _manage(self, *words: str) -> str:
        options = ["--settings", "settings", "--pythonpath", "."]
        return self.run(sys.executable, "-m", "django", *words, *options)


class Rails(Tool):
    """The members' site with the migrations in its db/."""

    part = "rails"

    def prepare(self, wrapped: Path) -> None:
        shutil.copytree(RAILS_APP, self.folder, dirs_exist_ok=True)
        shutil.copytree(wrapped, self.folder, dirs_exist_ok=True)
        self.run("bundle", "lock", "--local")

    def up(self) -> str:
        return self._rake("db:migrate")

    def down(self) -> str:
        steps = len(list((self.folder / "db" / "migrate").glob("*.rb")))
        return self._rake("db:rollback", f"STEP={steps}")

    def _rake(self, *words: str) -> str:
        return self.run("bundle", "exec", "rake", *words)


TOOLS: dict[str, type[Tool]] = {
    "rails": Rails,
    "sql": Psql,
    "alembic": Alembic,
    "django": Django,
    "sqitch": Sqitch,
}
