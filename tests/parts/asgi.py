"""The real Starlette application with a generated shim in it. Knows nothing of pytest."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from migrator.shims.asgi import AsgiTarget
from tests.parts.postgres import free_port
from tests.parts.program import Program, edited, write_files
from tests.parts.stage_file import StageFile, shim_environment, shim_settings

if TYPE_CHECKING:
    from migrator.conformance.issuer import Issuer
    from migrator.shims.interface import ShimSettings

CALLBACK_PATH = "/auth/callback"
SOURCE = Path(__file__).parent / "asgi_app"
# Tests cannot wait half a minute for a cooldown, nor ten minutes for a key set to age.
QUICK = {
    "jwks_cooldown_s: float = 30": "jwks_cooldown_s: float = 2",
    "stage_every_s: float = 2": "stage_every_s: float = 0.1",
}


@dataclass(kw_only=True)
class AsgiApp(Program):
    """A Starlette application under uvicorn in a temporary folder."""

    stage: StageFile
    workers: int = 1

    def command(self) -> list[str]:
        """Give uvicorn with as many workers as asked for."""
        command = [sys.executable, "-m", "uvicorn", "club:app", "--port", str(self.port)]
        return [*command, "--workers", str(self.workers), "--log-level", "warning"]


def settings_for(issuer: Issuer, *, stage_public_key: str) -> ShimSettings:
    """Give the shim's settings for a local issuer; the redirect URI is set with the port."""
    return shim_settings(issuer, stage_public_key=stage_public_key, redirect_uri="")


def prepare(
    dsn: str,
    issuer: Issuer,
    *,
    settings: ShimSettings | None = None,
    stage_file: Path | None = None,
    pepper: str = "",
    quick: bool = True,
    port: int | None = None,
    extra: dict[str, str] | None = None,
) -> AsgiApp:
    """Copy the application and put the generated shim into it. Starts nothing.

    Args:
        dsn: The application's database, with the users table and the side tables.
        settings: The shim's; by default those that fit the issuer.
        stage_file: Where the stage document is published; by default in the folder.
        pepper: Devise's.
        quick: Shorten the shim's pauses.
        port: Where it will listen; by default any free one.
        extra: More environment variables.
    """
    folder = Path(tempfile.mkdtemp(prefix="migrator-asgi-"))
    shutil.copytree(SOURCE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pyc*"))
    port = port or free_port()
    stage = StageFile(stage_file or folder / "stage.json")
    redirect_uri = f"http://127.0.0.1:{port}{CALLBACK_PATH}"
    baked = settings or settings_for(issuer, stage_public_key=stage.public_key)
    own = {
        "redirect_uri": redirect_uri,
        "stage_public_key": baked.stage_public_key or stage.public_key,
    }
    write_shim(folder, replace(baked, **own))
    if quick:
        shorten_pauses(folder)
    cache = folder / "stage-cache.json"
    shim = shim_environment(dsn, stage.path, cache=cache, pepper=pepper)
    return AsgiApp(
        folder=folder,
        environment=os.environ | {"PYTHONPATH": str(folder)} | shim | (extra or {}),
        log_path=folder / "uvicorn.log",
        port=port,
        stage=stage,
    )


def write_shim(folder: Path, settings: ShimSettings) -> None:
    """Render the shim into an application's folder."""
    write_files(folder, AsgiTarget().files(settings))


def shorten_pauses(folder: Path) -> None:
    """Edit the generated settings as a team could; the code stays the same."""
    path = folder / "auther_dual_path" / "settings.py"
    path.write_text(edited(path.read_text(encoding="utf-8"), QUICK), encoding="utf-8")
