"""Starts the real Rails + Devise application with a generated shim in it. Knows nothing of pytest."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psycopg

from migrator.core.queries import load
from migrator.core.stage import Stage, StageDocument
from migrator.shims.document import public_key_of, sign
from migrator.shims.interface import ShimSettings
from migrator.shims.rails import RailsTarget
from tests.parts.postgres import end_with_parent, free_port
from tests.parts.signing_keys import SigningKey, b64url

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.parts.issuer import Issuer

SOURCE = Path(__file__).parent / "rails_app"
START_TIMEOUT_S = 60
CALLBACK_PATH = "/auth/auther/callback"
CONTROL_SECRET = "control-secret-of-the-tests"
METRICS_TOKEN = "metrics-token-of-the-tests"
NAMESPACE = "club"

_DDL = load("migrator.legacy", "identity.sql")
SIDE_TABLES = ";".join(
    _DDL[name].format(identity="migrator_identity", instance="migrator_instance")
    for name in ("create_identity", "create_instance")
)


class StageFile:
    """A signed stage document in a file, with a key of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        raw = SigningKey().private.private_bytes_raw()
        self.private_key = b64url(raw)
        self.document = StageDocument(
            namespace=NAMESPACE,
            epoch=0,
            stage=Stage.DUAL,
            percent=0.0,
            salt="5a17",
            issued_at="2026-11-23T00:00:00Z",
            ledger_head="00",
            ledger_length=1,
        )

    @property
    def public_key(self) -> str:
        """Give the key that is baked into the shim."""
        return public_key_of(self.private_key)

    def publish(self, document: StageDocument) -> None:
        """Sign and put in place in one move."""
        self.document = document
        draft = self.path.with_suffix(".draft")
        draft.write_text(sign(document, self.private_key))
        draft.replace(self.path)

    def set(
        self,
        stage: Stage,
        *,
        percent: float = 0.0,
        stop_accepting: bool = False,
        legacy_accept_until: str | None = None,
    ) -> None:
        """Publish the next epoch."""
        self.publish(
            replace(
                self.document,
                epoch=self.document.epoch + 1,
                stage=stage,
                percent=percent,
                stop_accepting=stop_accepting,
                legacy_accept_until=legacy_accept_until,
            )
        )


def create_side_tables(dsn: str) -> None:
    """Create the tables that the import makes in the application's database."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SIDE_TABLES)


@dataclass
class RailsApp:
    """A running application in a temporary folder."""

    folder: Path
    port: int
    stage: StageFile
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def base_url(self) -> str:
        """Give the address it listens on."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Give what it has written so far."""
        return (self.folder / "puma.log").read_text(errors="replace")

    def start(self) -> None:
        """Start puma and wait until it answers.

        Raises:
            RuntimeError: It ended or did not answer in time; with the end of its log.
        """
        with (self.folder / "puma.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["bundle", "exec", "puma", "-C", "config/puma.rb"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                # Even a killed test run must not leave a server behind.
                preexec_fn=end_with_parent,  # noqa: PLW1509
            )
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while self.process.poll() is None and time.monotonic() < deadline_s:
            try:
                httpx.get(f"{self.base_url}/up", timeout=5)
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return
        self.stop()
        raise RuntimeError(f"the Rails application did not start: {self.log[-3000:]}")

    def stop(self) -> None:
        """Stop puma; its folder stays."""
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


def settings_for(issuer: Issuer) -> Callable[[int, str], ShimSettings]:
    """Make the shim's settings for a local issuer, and let the issuer know the redirect URI."""

    def settings(port: int, stage_public_key: str) -> ShimSettings:
        redirect_uri = f"http://127.0.0.1:{port}{CALLBACK_PATH}"
        issuer.redirect_uris.append(redirect_uri)
        return ShimSettings(
            issuers=(issuer.issuer,),
            audiences=(issuer.client_id,),
            jwks_url=issuer.jwks_url,
            client_id=issuer.client_id,
            authorize_url=issuer.authorize_url,
            token_url=issuer.token_url,
            redirect_uri=redirect_uri,
            namespace=NAMESPACE,
            stage_public_key=stage_public_key,
            build="test-build",
        )

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
    app = RailsApp(folder, port, stage, _environment(dsn, port, folder, pepper) | (extra or {}))
    locked = app.run("bundle", "lock", "--local")
    if locked.returncode != 0:
        app.remove()
        raise RuntimeError(f"bundle lock: {locked.stdout}{locked.stderr}")
    return app


def write_shim(folder: Path, settings: ShimSettings) -> None:
    """Render the shim into an application's folder."""
    for path, text in RailsTarget().files(settings).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


def _environment(dsn: str, port: int, folder: Path, pepper: str) -> dict[str, str]:
    return {
        **os.environ,
        "RAILS_ENV": "production",
        "DATABASE_URL": dsn,
        "PORT": str(port),
        "DEVISE_PEPPER": pepper,
        "SECRET_KEY_BASE": "5" * 64,
        "MIGRATOR_STAGE_FILE": str(folder / "stage.json"),
        "MIGRATOR_STAGE_CACHE": str(folder / "tmp" / "stage-cache.json"),
        "MIGRATOR_INSTANCE": "web-1",
        "MIGRATOR_CONTROL_SECRET": CONTROL_SECRET,
        "MIGRATOR_METRICS_TOKEN": METRICS_TOKEN,
        "LANG": "C.UTF-8",
    }
