"""The virtual environment: every package in the version and with the checksum that constraints.txt names."""

import os
import sys
from pathlib import Path

from tests.setup.paths import ROOT, VENV
from tests.setup.steps import SetupError, digest, once, run, say

LOCK = ROOT / "constraints.txt"
PROJECT = ROOT / "pyproject.toml"
PYTHON = VENV / "bin" / "python"
PIP: list[str | Path] = [
    PYTHON,
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--no-input",
]


class LockMisfitError(SetupError):
    """The lock lacks a package that pyproject.toml names; everything else is there."""


def ensure_venv() -> None:
    """Create or complete `.venv`.

    Raises:
        SetupError: packages can't be installed, or the lock does not fit pyproject.toml.
    """
    fingerprint = digest(files=[LOCK, PROJECT], values=[sys.version, str(VENV)])
    with once(VENV / "setup-stamp", fingerprint=fingerprint) as needed:
        if not needed:
            return
        if not _usable():
            _create()
        say("Python packages from constraints.txt into .venv")
        run([*PIP, "--require-hashes", "--only-binary=:all:", "-r", LOCK])
        run([*PIP, "--no-deps", "--no-build-isolation", "-e", ROOT])
        _check()


def _usable() -> bool:
    try:
        version = run([PYTHON, "-c", "import pip, sys; print(sys.version, end='')"])
    except SetupError:
        return False
    return version == sys.version


def _create() -> None:
    say(f"virtual environment .venv with Python {sys.version.split()[0]}")
    command: list[str | Path] = [sys.executable, "-m", "venv", "--clear", VENV]
    try:
        run(command)
    except SetupError:
        if os.geteuid() != 0:
            raise
        say("Debian package python3-venv")
        run(["apt-get", "update", "-qq"])
        run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "python3-venv"])
        run(command)


def _check() -> None:
    try:
        run([PYTHON, "-m", "pip", "check"])
    except SetupError as error:
        raise LockMisfitError(
            f"{error}\nNext: `make lock` after a change of pyproject.toml"
        ) from error
