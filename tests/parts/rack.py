"""The real Sinatra application with a generated shim in it. Knows nothing of pytest."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from migrator.shims.rack import RackTarget
from tests.parts.postgres import free_port
from tests.parts.program import Program, write_files
from tests.parts.ruby_shim import quick
from tests.parts.stage_file import StageFile, shim_environment, shim_settings

if TYPE_CHECKING:
    from migrator.conformance.issuer import Issuer
    from migrator.shims.interface import ShimSettings

SOURCE = Path(__file__).parent / "rack_app"
CALLBACK_PATH = "/auth/callback"
SECRETS = {"SESSION_SECRET": "s" * 64, "LANG": "C.UTF-8"}


@dataclass(kw_only=True)
class RackApp(Program):
    """A Rack application under puma in a temporary folder.

    Attributes:
        rackup: The file that puts it together.
    """

    stage: StageFile
    rackup: str = "config.ru"

    def command(self) -> list[str]:
        """Give puma with the application."""
        return ["puma", "-C", "puma.rb", self.rackup]

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
    extra: dict[str, str] | None = None,
    rackup: str = "config.ru",
) -> RackApp:
    """Copy the application and put the generated shim into it. Starts nothing.

    Args:
        dsn: The application's database, with the users table and the side tables.
        settings: The shim's, but for stage key and redirect URI; by default those that fit the issuer.
        pepper: Devise's.
        extra: More environment variables.
        rackup: The file that puts it together.
    """
    folder = Path(tempfile.mkdtemp(prefix="migrator-rack-"))
    stage, port = StageFile(folder / "stage.json"), free_port()
    redirect_uri = f"http://127.0.0.1:{port}{CALLBACK_PATH}"
    issuer.redirect_uris.append(redirect_uri)
    baked = settings or shim_settings(issuer, stage_public_key="", redirect_uri="")
    own = replace(baked, redirect_uri=redirect_uri, stage_public_key=stage.public_key)
    put_together(folder, own)
    shim = shim_environment(dsn, stage.path, cache=folder / "stage-cache.json", pepper=pepper)
    return RackApp(
        folder=folder,
        environment=os.environ | shim | SECRETS | {"PORT": str(port)} | (extra or {}),
        log_path=folder / "puma.log",
        port=port,
        stage=stage,
        rackup=rackup,
    )


def put_together(folder: Path, settings: ShimSettings) -> Path:
    """Copy the application's sources and render the shim beside them."""
    shutil.copytree(SOURCE, folder, dirs_exist_ok=True)
    write_files(folder, quick(RackTarget().files(settings), legacy=settings.legacy))
    return folder
