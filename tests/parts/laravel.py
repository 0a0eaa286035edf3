"""The real Laravel application with a generated shim in it. Knows nothing of pytest."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from migrator.shims.laravel import LaravelTarget
from tests.parts.postgres import free_port
from tests.parts.program import Program, write_files
from tests.parts.stage_file import StageFile, shim_environment, shim_settings

if TYPE_CHECKING:
    from migrator.conformance.issuer import Issuer
    from migrator.shims.interface import ShimSettings

SOURCE = Path(__file__).parent / "laravel_app"
CALLBACK_PATH = "/auth/callback"
WORKERS = "4"
FOLDERS = ("bootstrap/cache", "storage/framework/sessions", "storage/app")
# Laravel 8 on PHP 8.2 is full of notices of deprecation.
PHP = ("php", "-d", "error_reporting=E_ALL & ~E_DEPRECATED", "-d", "opcache.enable_cli=1")
# PHP's server does not end its workers when it ends.
GROUP = 'trap "trap - TERM; kill 0" INT TERM; "$@" & wait'


@dataclass(kw_only=True)
class LaravelApp(Program):
    """PHP's own server with four workers, in a temporary folder."""

    stage: StageFile

    def command(self) -> list[str]:
        """Give PHP's server, in a shell that ends its workers with it."""
        server = [*PHP, "-S", f"127.0.0.1:{self.port}", "-t", "public", "public/index.php"]
        return ["sh", "-c", GROUP, "sh", *server]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the application's folder."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )


def prepare(
    dsn: str,
    issuer: Issuer,
    *,
    settings: ShimSettings | None = None,
    pepper: str = "",
    port: int = 0,
    extra: dict[str, str] | None = None,
) -> LaravelApp:
    """Copy the application and put the generated shim into it. Starts nothing.

    Args:
        dsn: The application's database, with the users table and the side tables.
        settings: The shim's, but for stage key and redirect URI; by default those that fit the issuer.
        pepper: Devise's.
        port: 0 for any free one.
        extra: More environment variables.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "ALTER TABLE users ADD COLUMN IF NOT EXISTS remember_token varchar(100)"
        )
    folder = Path(tempfile.mkdtemp(prefix="migrator-laravel-"))
    stage, port = StageFile(folder / "stage.json"), port or free_port()
    redirect_uri = f"http://127.0.0.1:{port}{CALLBACK_PATH}"
    issuer.redirect_uris.append(redirect_uri)
    baked = settings or shim_settings(issuer, stage_public_key="", redirect_uri="")
    own = {"redirect_uri": redirect_uri, "stage_public_key": stage.public_key}
    put_together(folder, replace(baked, **own))
    shim = shim_environment(dsn, stage.path, cache=folder / "stage-cache.json", pepper=pepper)
    workers = {"PHP_CLI_SERVER_WORKERS": WORKERS}
    return LaravelApp(
        folder=folder,
        environment=os.environ | shim | workers | (extra or {}),
        log_path=folder / "application.log",
        port=port,
        stage=stage,
    )


def put_together(folder: Path, settings: ShimSettings) -> Path:
    """Copy the application's sources and render the shim beside them."""
    shutil.copytree(SOURCE, folder, dirs_exist_ok=True)
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
    write_files(folder, LaravelTarget().files(settings))
    return folder
