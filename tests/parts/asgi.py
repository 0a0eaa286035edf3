"""Starts the real Starlette application with a generated shim in it. Knows nothing of pytest."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from migrator.shims.asgi import AsgiTarget
from migrator.shims.interface import ShimSettings
from tests.parts.postgres import free_port
from tests.parts.rails import CONTROL_SECRET, METRICS_TOKEN, NAMESPACE, StageFile

if TYPE_CHECKING:
    from tests.parts.issuer import Issuer

SOURCE = Path(__file__).parent / "asgi_app"
START_TIMEOUT_S = 30
# Tests cannot wait half a minute for a cooldown, nor ten minutes for a key set to age.
QUICK = {
    "jwks_cooldown_s: float = 30": "jwks_cooldown_s: float = 2",
    "stage_every_s: float = 2": "stage_every_s: float = 0.1",
}


@dataclass
class AsgiApp:
    """The application in a temporary folder."""

    folder: Path
    port: int
    stage: StageFile
    environment: dict[str, str]
    workers: int = 1
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def base_url(self) -> str:
        """Give the address it listens on."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Give what it has written so far."""
        return (self.folder / "uvicorn.log").read_text(errors="replace")

    def start(self) -> None:
        """Start uvicorn and wait until it answers.

        Raises:
            RuntimeError: It ended or did not answer in time; with the end of its log.
        """
        command = [sys.executable, "-m", "uvicorn", "club:app", "--port", str(self.port)]
        with (self.folder / "uvicorn.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--workers", str(self.workers), "--log-level", "warning"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while self.process.poll() is None and time.monotonic() < deadline_s:
            try:
                httpx.get(f"{self.base_url}/healthz", timeout=5)
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        self.stop()
        raise RuntimeError(f"the ASGI application did not start: {self.log[-3000:]}")

    def stop(self) -> None:
        """Stop uvicorn; its folder stays."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def remove(self) -> None:
        """Stop it and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def settings_for(issuer: Issuer, *, stage_public_key: str) -> ShimSettings:
    """Give the shim's settings for a local issuer; the redirect URI is set with the port."""
    return ShimSettings(
        issuers=(issuer.issuer,),
        audiences=(issuer.client_id,),
        jwks_url=issuer.jwks_url,
        client_id=issuer.client_id,
        authorize_url=issuer.authorize_url,
        token_url=issuer.token_url,
        redirect_uri="",
        namespace=NAMESPACE,
        stage_public_key=stage_public_key,
        build="test-build",
    )


def prepare(
    dsn: str,
    issuer: Issuer,
    *,
    settings: ShimSettings | None = None,
    stage_file: Path | None = None,
    pepper: str = "",
    quick: bool = True,
    extra: dict[str, str] | None = None,
) -> AsgiApp:
    """Copy the application and put the generated shim into it. Starts nothing.

    Args:
        dsn: The application's database, with the users table and the side tables.
        settings: The shim's; by default those that fit the issuer.
        stage_file: Where the stage document is published; by default in the folder.
        pepper: Devise's.
        quick: Shorten the shim's pauses.
        extra: More environment variables.
    """
    folder = Path(tempfile.mkdtemp(prefix="migrator-asgi-"))
    shutil.copytree(SOURCE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pyc*"))
    port = free_port()
    stage = StageFile(stage_file or folder / "stage.json")
    baked = settings or settings_for(issuer, stage_public_key=stage.public_key)
    write_shim(folder, replace(baked, redirect_uri=f"http://127.0.0.1:{port}/auth/callback"))
    if quick:
        shorten_pauses(folder)
    environment = _environment(dsn, stage.path, folder, pepper) | (extra or {})
    return AsgiApp(folder, port, stage, environment)


def write_shim(folder: Path, settings: ShimSettings) -> None:
    """Render the shim into an application's folder."""
    for path, text in AsgiTarget().files(settings).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def shorten_pauses(folder: Path) -> None:
    """Edit the generated settings as a team could; the code stays the same."""
    path = folder / "auther_dual_path" / "settings.py"
    text = path.read_text(encoding="utf-8")
    for long, short in QUICK.items():
        if long not in text:
            raise ValueError(f"the generated settings no longer say {long!r}")
        text = text.replace(long, short)
    path.write_text(text, encoding="utf-8")


def _environment(dsn: str, stage_file: Path, folder: Path, pepper: str) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(folder),
        "DATABASE_URL": dsn,
        "DEVISE_PEPPER": pepper,
        "MIGRATOR_STAGE_FILE": str(stage_file),
        "MIGRATOR_STAGE_CACHE": str(folder / "stage-cache.json"),
        "MIGRATOR_INSTANCE": "web-1",
        "MIGRATOR_CONTROL_SECRET": CONTROL_SECRET,
        "MIGRATOR_METRICS_TOKEN": METRICS_TOKEN,
    }
