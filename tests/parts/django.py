"""The real Django application with a generated shim in it. Knows nothing of pytest."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict

from migrator.shims.django import DjangoTarget
from tests.parts.asgi import shorten_pauses
from tests.parts.postgres import free_port
from tests.parts.program import Program, write_files
from tests.parts.stage_file import StageFile, shim_environment, shim_settings

if TYPE_CHECKING:
    from migrator.conformance.issuer import Issuer
    from migrator.shims.interface import ShimSettings

CALLBACK_PATH = "/auth/callback"
SOURCE = Path(__file__).parent / "django_app"
# What `manage.py migrate` makes for this application, and the column that Django's users have.
TABLES = """
CREATE TABLE IF NOT EXISTS django_session
    (session_key varchar(40) PRIMARY KEY, session_data text NOT NULL, expire_date timestamptz NOT NULL);
ALTER TABLE users ADD COLUMN IF NOT EXISTS last_login timestamptz
"""


@dataclass(kw_only=True)
class DjangoApp(Program):
    """A Django application in a temporary folder, under WSGI or ASGI.

    Attributes:
        workers: Processes, under WSGI.
    """

    stage: StageFile
    workers: int = 1
    project: str = "club_settings"
    asgi: bool = False

    def command(self) -> list[str]:
        """Give the server with as many workers as asked for."""
        if self.asgi:
            served = ["-m", "uvicorn", "asgi:application", "--port", str(self.port)]
            return [sys.executable, *served, "--log-level", "warning"]
        return [sys.executable, "serve.py", self.project, str(self.port), str(self.workers)]


def prepare(
    dsn: str,
    issuer: Issuer,
    *,
    settings: ShimSettings | None = None,
    pepper: str = "",
    extra: dict[str, str] | None = None,
) -> DjangoApp:
    """Copy the application and put the generated shim into it. Starts nothing.

    Args:
        dsn: The application's database, with the users table and the side tables.
        settings: The shim's; by default those that fit the issuer.
        pepper: Devise's.
        extra: More environment variables.
    """
    folder = Path(tempfile.mkdtemp(prefix="migrator-django-"))
    shutil.copytree(SOURCE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pyc*"))
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(TABLES)
    port = free_port()
    stage = StageFile(folder / "stage.json")
    baked = settings or shim_settings(issuer, stage_public_key="", redirect_uri="")
    redirect_uri = f"http://127.0.0.1:{port}{CALLBACK_PATH}"
    issuer.redirect_uris.append(redirect_uri)
    own = {"redirect_uri": redirect_uri, "stage_public_key": stage.public_key}
    write_files(folder, DjangoTarget().files(replace(baked, **own)))
    if baked.legacy:
        shorten_pauses(folder)
    shim = shim_environment(dsn, stage.path, cache=folder / "stage-cache.json", pepper=pepper)
    django = {"SECRET_KEY": "secret-key-of-the-tests-0123456789abcdef0123456789"}
    return DjangoApp(
        folder=folder,
        environment=os.environ | shim | django | _database(dsn) | (extra or {}),
        log_path=folder / "django.log",
        port=port,
        stage=stage,
    )


def _database(dsn: str) -> dict[str, str]:
    parts = conninfo_to_dict(dsn)
    known = {
        "host": "HOST",
        "port": "PORT",
        "dbname": "NAME",
        "user": "USER",
        "password": "PASSWORD",
    }
    return {f"DATABASE_{name}": str(parts.get(key) or "") for key, name in known.items()}
