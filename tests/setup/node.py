"""Node.js and the npm packages of the real better-auth."""

import re
import shutil
from pathlib import Path

from tests.setup.paths import BETTER_AUTH, BETTER_AUTH_NEWEST, EXPRESS_APP, HONO_APP, use_parts
from tests.setup.steps import PartMissingError, SetupError, digest, once, run, say
from tests.setup.venv import PIP

NODE_MAJOR_MIN = 20
NODE_LOCK = Path(__file__).parent / "node.txt"


def ensure_better_auth() -> None:
    """Install better-auth and what it needs, exactly as package-lock.json says.

    Raises:
        PartMissingError: no Node.js, or the packages can't be had.
    """
    node_there()
    install_packages(BETTER_AUTH, name="better-auth")


def ensure_newest_better_auth() -> None:
    """Install the newest better-auth likewise.

    Raises:
        PartMissingError: no Node.js, or the packages can't be had.
    """
    node_there()
    install_packages(BETTER_AUTH_NEWEST, name="the newest better-auth")


def ensure_express() -> None:
    """Install Express, Passport and what the application of the tests needs likewise.

    Raises:
        PartMissingError: no Node.js, or the packages can't be had.
    """
    node_there()
    install_packages(EXPRESS_APP, name="the Express application")


def ensure_hono() -> None:
    """Install Hono and what the application of the tests needs likewise.

    Raises:
        PartMissingError: no Node.js, or the packages can't be had.
    """
    node_there()
    install_packages(HONO_APP, name="the Hono application")


def node_there() -> None:
    """Bring Node.js where the machine has none.

    Raises:
        PartMissingError: it can't be had.
    """
    try:
        _ensure_node()
    except SetupError as error:
        raise PartMissingError(str(error)) from error


def node_version() -> str | None:
    """The version of the Node.js on the PATH, `v20.1.0`, when there is a usable one with npm."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    version = run(["node", "--version"]).strip()
    found = re.match(r"v(\d+)\.", version)
    return version if found and int(found[1]) >= NODE_MAJOR_MIN else None


def _ensure_node() -> None:
    use_parts()
    if node_version() is not None:
        return
    say(f"no Node.js {NODE_MAJOR_MIN} or later on this machine: one from PyPI into .venv")
    run([*PIP, "--require-hashes", "--only-binary=:all:", "-r", NODE_LOCK])
    use_parts()
    if node_version() is None:
        raise SetupError("Node.js from PyPI does not run here")


def install_packages(project: Path, *, name: str) -> None:
    """Install an npm project's packages, exactly as its package-lock.json says.

    Raises:
        PartMissingError: the packages can't be had.
    """
    try:
        _install(project, name)
    except SetupError as error:
        raise PartMissingError(str(error)) from error


def _install(project: Path, name: str) -> None:
    files = [project / "package-lock.json", project / "package.json"]
    fingerprint = digest(files=files, values=[node_version() or ""])
    with once(project / "node_modules" / "setup-stamp", fingerprint=fingerprint) as needed:
        if not needed:
            return
        say(f"npm packages of {name} from package-lock.json")
        shutil.rmtree(project / "node_modules", ignore_errors=True)
        # `npm ci` refuses a lock that lacks optional packages for other systems; this takes the rest from it
        # all the same, checks every checksum and leaves the lock as it is.
        options = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        options += ["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]
        run(["npm", "install", *options], folder=project, timeout_s=300)
