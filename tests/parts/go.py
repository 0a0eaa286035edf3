"""The real Go application with a generated shim in it. Knows nothing of pytest."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrator.shims.go import GoTarget
from migrator.shims.interface import ShimSettings
from tests.parts.postgres import free_port
from tests.parts.program import Program, write_files
from tests.parts.stage_file import StageFile, shim_environment, shim_settings
from tests.setup.paths import GO_PATH, PARTS, use_parts

if TYPE_CHECKING:
    from migrator.conformance.issuer import Issuer

SOURCE = Path(__file__).parent / "go_app"
PLAIN_SOURCE = Path(__file__).parent / "go_plain_app"
BINARIES = PARTS / "go"
CALLBACK_PATH = "/auth/auther/callback"
COOKIE_SECRET = "cookie-secret-of-the-tests-32-byt"
BUILD_WITHIN_S = 280
SECRETS = {
    f"MIGRATOR_{capability}_SECRET": f"{capability.lower()}-secret-of-the-tests-of-32-bytes"
    for capability in ("VERIFY", "EXCHANGE", "LOGOUT", "RESET")
}


@dataclass(kw_only=True)
class GoApp(Program):
    """The built application in a temporary folder."""

    stage: StageFile
    program: Path

    def command(self) -> list[str]:
        """Give the program; it has no arguments."""
        return [str(self.program)]


def go(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of Go's in a workspace: a folder with `src` in it."""
    use_parts()
    return subprocess.run(
        words,
        cwd=folder / "src",
        env=os.environ | go_environment(folder),
        capture_output=True,
        text=True,
        timeout=BUILD_WITHIN_S,
        check=False,
    )


def go_environment(folder: Path) -> dict[str, str]:
    """Give Go a workspace, Debian's packages and a build cache that the project keeps."""
    return {
        "GO111MODULE": "off",
        # No C compiler is asked for.
        "CGO_ENABLED": "0",
        "GOPATH": f"{folder}{os.pathsep}{GO_PATH}",
        "GOCACHE": str(PARTS / "go-build"),
        "GOFLAGS": "",
    }


def write_workspace(folder: Path, settings: ShimSettings, *, application: bool = True) -> Path:
    """Put the shim, and the application beside it, into a workspace; give the shim's folder."""
    club = folder / "src" / "club"
    write_files(club, GoTarget().files(settings))
    if application:
        source = SOURCE if settings.legacy else PLAIN_SOURCE
        shutil.copytree(source, club, dirs_exist_ok=True)
    return club / "autherdualpath"


def build(settings: ShimSettings) -> Path:
    """Give the application as a program; built anew only when its sources changed.

    The settings are those of the sources: each run brings its own (`CLUB_SETTINGS`).

    Raises:
        RuntimeError: It does not compile; with what the compiler says.
    """
    with tempfile.TemporaryDirectory(prefix="migrator-go-") as temporary:
        folder = Path(temporary)
        write_workspace(folder, settings)
        sources = sorted((folder / "src").rglob("*.go"))
        texts = b"".join(path.name.encode() + path.read_bytes() for path in sources)
        name = "club" if settings.legacy else "plain"
        program = BINARIES / f"{name}-{sha256(texts).hexdigest()[:16]}"
        if not program.exists():
            BINARIES.mkdir(parents=True, exist_ok=True)
            draft = BINARIES / f".{program.name}-{os.getpid()}"
            done = go(folder, "go", "build", "-o", str(draft), "club")
            if done.returncode != 0:
                raise RuntimeError(f"go build: {done.stderr}")
            # Another worker may be here too, with the same program.
            draft.replace(program)
            for old in set(BINARIES.glob(f"{name}-*")) - {program}:
                old.unlink(missing_ok=True)
        return program


def prepare(
    dsn: str,
    issuer: Issuer,
    *,
    settings: ShimSettings | None = None,
    port: int = 0,
    pepper: str = "",
    extra: dict[str, str] | None = None,
) -> GoApp:
    """Build the application, with settings that fit the issuer. Starts nothing.

    Args:
        dsn: The application's database, with the users table and the side tables.
        settings: The shim's, but for the stage's key and the redirect URI; by default those that fit.
        port: Where it will listen, 0 for any free port.
        pepper: Devise's.
        extra: More environment variables.
    """
    folder = Path(tempfile.mkdtemp(prefix="migrator-go-"))
    port = port or free_port()
    stage = StageFile(folder / "stage.json")
    redirect_uri = f"http://127.0.0.1:{port}{CALLBACK_PATH}"
    issuer.redirect_uris.append(redirect_uri)
    known = settings or replace(
        shim_settings(issuer, stage_public_key="", redirect_uri=""),
        plugin_url=f"{issuer.auth_url}/migrator",
    )
    own_settings = replace(known, stage_public_key=stage.public_key, redirect_uri=redirect_uri)
    shim = shim_environment(dsn, stage.path, cache=folder / "stage-cache.json", pepper=pepper)
    own = {
        "PORT": str(port),
        "SECRET_KEY_BASE": "5" * 64,
        "MIGRATOR_COOKIE_SECRET": COOKIE_SECRET,
        "MIGRATOR_JWKS_COOLDOWN_S": "2",
        **SECRETS,
        "CLUB_SETTINGS": json.dumps(running(own_settings)),
    }
    return GoApp(
        folder=folder,
        environment=os.environ | shim | own | (extra or {}),
        log_path=folder / "club.log",
        port=port,
        stage=stage,
        program=build(replace(ShimSettings.placeholders(), legacy=known.legacy)),
    )


def running(settings: ShimSettings) -> dict[str, Any]:
    """Give what may differ from run to run, by Go's names."""
    return {
        "Issuers": settings.issuers,
        "Audiences": settings.audiences,
        "Algorithms": settings.algorithms,
        "JWKSURL": settings.jwks_url,
        "ClientID": settings.client_id,
        "AuthorizeURL": settings.authorize_url,
        "TokenURL": settings.token_url,
        "RedirectURI": settings.redirect_uri,
        "PluginURL": settings.plugin_url,
        "CheckPermissionURL": settings.check_permission_url,
        "AfterLogin": settings.after_login,
        "Source": settings.source,
        "Namespace": settings.namespace,
        "StagePublicKey": settings.stage_public_key,
        "Build": settings.build,
        "BakedStage": settings.baked_stage,
        "ForeignPaths": settings.foreign_paths,
        "CreateUsers": settings.create_users,
        "ExchangeInDual": settings.exchange_in_dual,
        "DelegatePermissions": settings.delegate_permissions,
    }
