"""The real applications on Node.js with a generated shim in them. Knows nothing of pytest."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from migrator.shims.express import ExpressTarget
from migrator.shims.hono import HonoTarget
from tests.parts.postgres import free_port
from tests.parts.program import Program, edited, write_files
from tests.parts.stage_file import StageFile, shim_environment, shim_settings
from tests.setup.paths import EXPRESS_APP, HONO_APP

if TYPE_CHECKING:
    from migrator.conformance.issuer import Issuer
    from migrator.shims.interface import ShimSettings, Target

CALLBACK_PATH = "/auth/callback"
SECRETS = {"SESSION_SECRET": "session-secret-of-the-tests", "MIGRATOR_COOKIE_SECRET": "c" * 40}
# Tests cannot wait two seconds for each move of the switch.
QUICK = {"stageEveryS: 2,": "stageEveryS: 0.1,"}


@dataclass(frozen=True)
class Stack:
    """A target, and the application that its shim is put into.

    Attributes:
        sources: Its files; packages are installed beside the last ones.
    """

    target: Target
    sources: tuple[Path, ...]

    @property
    def packages(self) -> Path:
        """Give the folder of the installed packages."""
        return self.sources[-1].parent / "node_modules"


EXPRESS = Stack(ExpressTarget(), tuple(path for path in EXPRESS_APP.iterdir() if path.is_file()))
# Users, passwords and the compiler's settings are the same in both.
HONO = Stack(
    HonoTarget(),
    (
        EXPRESS_APP / "users.js",
        EXPRESS_APP / "tsconfig.json",
        *(path for path in HONO_APP.iterdir() if path.is_file()),
    ),
)


@dataclass(kw_only=True)
class ExpressApp(Program):
    """An application on Node.js in a temporary folder."""

    stage: StageFile

    def command(self) -> list[str]:
        """Give Node.js with the application."""
        return ["node", "server.js"]

    def run(self, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the application's folder, with more environment if given."""
        return subprocess.run(
            [str(part) for part in command],
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )


def prepare(
    dsn: str,
    issuer: Issuer,
    *,
    stack: Stack = EXPRESS,
    settings: ShimSettings | None = None,
    pepper: str = "",
    port: int = 0,
    extra: dict[str, str] | None = None,
) -> ExpressApp:
    """Copy the application and put the generated shim into it. Starts nothing.

    Args:
        dsn: The application's database, with the users table and the side tables.
        stack: Which application.
        settings: The shim's, but for stage key and redirect URI; by default those that fit the issuer.
        pepper: Devise's.
        port: 0 for any free one.
        extra: More environment variables.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"migrator-{stack.target.name}-"))
    stage, port = StageFile(folder / "stage.json"), port or free_port()
    redirect_uri = f"http://127.0.0.1:{port}{CALLBACK_PATH}"
    issuer.redirect_uris.append(redirect_uri)
    baked = settings or shim_settings(issuer, stage_public_key="", redirect_uri="")
    own = {"redirect_uri": redirect_uri, "stage_public_key": stage.public_key}
    put_together(folder, replace(baked, **own), stack)
    shim = shim_environment(dsn, stage.path, cache=folder / "stage-cache.json", pepper=pepper)
    places = {"PORT": str(port), "MIGRATOR_COUNTERS_FOLDER": str(folder / "counters")}
    return ExpressApp(
        folder=folder,
        environment=os.environ | shim | SECRETS | places | (extra or {}),
        log_path=folder / "application.log",
        port=port,
        stage=stage,
    )


def put_together(folder: Path, settings: ShimSettings, stack: Stack = EXPRESS) -> Path:
    """Copy the application's sources and render the shim beside them."""
    folder.mkdir(exist_ok=True)
    for source in stack.sources:
        shutil.copy(source, folder)
    # Node looks for packages from where a file really lies, so this link is enough.
    (folder / "node_modules").symlink_to(stack.packages)
    files = stack.target.files(settings)
    path = "auther-cutover/settings.js"
    write_files(folder, {**files, path: edited(files[path], QUICK if settings.legacy else {})})
    return folder
