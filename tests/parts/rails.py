"""The real Rails + Devise application with a generated shim in it. Knows nothing of pytest."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from migrator.shims.rails import RailsTarget
from tests.parts.postgres import free_port
from tests.parts.program import Program, write_files
from tests.parts.ruby_shim import quick
from tests.parts.stage_file import StageFile, shim_environment, shim_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.conformance.issuer import Issuer
    from migrator.shims.interface import ShimSettings

SOURCE = Path(__file__).parent / "rails_app"
CALLBACK_PATH = "/auth/auther/callback"
RAILS = {"RAILS_ENV": "production", "SECRET_KEY_BASE": "5" * 64, "LANG": "C.UTF-8"}


@dataclass(kw_only=True)
class RailsApp(Program):
    """A Rails application under puma in a temporary folder."""

    stage: StageFile

    def command(self) -> list[str]:
        """Give puma with the gems that bundler locked."""
        return ["bundle", "exec", "puma", "-C", "config/puma.rb"]

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the application's folder, with more environment if given."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )


def run_generated_test(app: RailsApp) -> None:
    """Run the test that the application's team keeps.

    Raises:
        RuntimeError: It fails or skips something; with what it said.
    """
    done = app.run("bundle", "exec", "ruby", "-Itest", "test/integration/auther_cutover_test.rb")
    if done.returncode != 0 or " 0 failures, 0 errors, 0 skips" not in done.stdout:
        raise RuntimeError(done.stdout + done.stderr)


def settings_for(issuer: Issuer) -> Callable[[int, str], ShimSettings]:
    """Make the shim's settings for a local issuer, and let the issuer know the redirect URI."""

    def settings(port: int, stage_public_key: str) -> ShimSettings:
        redirect_uri = f"http://127.0.0.1:{port}{CALLBACK_PATH}"
        issuer.redirect_uris.append(redirect_uri)
        return shim_settings(issuer, stage_public_key=stage_public_key, redirect_uri=redirect_uri)

    return settings


def prepare(
    dsn: str,
    settings: Callable[[int, str], ShimSettings],
    *,
    port: int = 0,
    pepper: str = "",
    extra: dict[str, str] | None = None,
) -> RailsApp:
    """Copy the application, put the generated shim into it, resolve its gems. Starts nothing.

    Args:
        dsn: The application's database, with the users table and the side tables.
        settings: Gives the shim's settings for the application's port and the stage's public key.
        port: Where it will listen, 0 for any free port.
        pepper: Devise's.
        extra: More environment variables.

    Raises:
        RuntimeError: The gems cannot be resolved on this machine.
    """
    folder = Path(tempfile.mkdtemp(prefix="migrator-rails-"))
    shutil.copytree(SOURCE, folder, dirs_exist_ok=True)
    stage, port = StageFile(folder / "stage.json"), port or free_port()
    write_shim(folder, settings(port, stage.public_key))
    cache = folder / "tmp" / "stage-cache.json"
    environment = (
        os.environ | RAILS | shim_environment(dsn, stage.path, cache=cache, pepper=pepper)
    )
    app = RailsApp(
        folder=folder,
        environment=environment | {"PORT": str(port)} | (extra or {}),
        log_path=folder / "puma.log",
        port=port,
        health_path="/up",
        stage=stage,
    )
    try:
        lock_gems(folder)
    except RuntimeError:
        app.remove()
        raise
    return app


def lock_gems(folder: Path, gem: str = "pg") -> None:
    """Resolve the gems of a copy of the application.

    Args:
        folder: The copy.
        gem: For the database.

    Raises:
        RuntimeError: They cannot be resolved on this machine.
    """
    (folder / "Gemfile.lock").write_text(_locked(gem), encoding="utf-8")


@cache
def _locked(gem: str) -> str:
    """Resolve once for a database: each resolution is a start of Ruby and Bundler."""
    with tempfile.TemporaryDirectory(prefix="migrator-gems-") as folder:
        shutil.copy(SOURCE / "Gemfile", folder)
        done = subprocess.run(
            ["bundle", "lock", "--local"],
            cwd=folder,
            env=os.environ | RAILS | {"DATABASE_GEM": gem},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"bundle lock: {done.stdout}{done.stderr}")
        return (Path(folder) / "Gemfile.lock").read_text(encoding="utf-8")


def write_shim(folder: Path, settings: ShimSettings) -> None:
    """Render the shim into an application's folder."""
    write_files(folder, quick(RailsTarget().files(settings), legacy=settings.legacy))
