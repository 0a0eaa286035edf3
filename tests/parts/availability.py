"""Which real parts are on this machine, and why one is not. Used by the tests, the demo and the set-up."""

import functools
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.parts.postgres import DEBIAN_15, embedded_binaries

BETTER_AUTH = Path(__file__).parent / "better_auth"
NODE_MAJOR_MIN = 18
OPTIONAL = frozenset({"postgres15"})


def missing(part: str) -> str | None:
    """The reason why `part` can't be used here, or None when it can.

    Raises:
        KeyError: no such part.
    """
    return PARTS[part]()


def _postgres() -> str | None:
    try:
        programs = embedded_binaries()
    except FileNotFoundError as error:
        return f"{error}; run `make setup`"
    return None if (programs / "postgres").exists() else f"no PostgreSQL 18 in {programs}"


def _postgres15() -> str | None:
    return None if (DEBIAN_15 / "postgres").exists() else f"no PostgreSQL 15 in {DEBIAN_15}"


def _node() -> str | None:
    version = _output("node", "--version")
    found = re.match(r"v(\d+)\.", version)
    if found is None:
        return "no Node.js on the PATH; run `make setup` as root or install it"
    if int(found[1]) < NODE_MAJOR_MIN:
        return f"Node.js {version} is older than {NODE_MAJOR_MIN}"
    if not (BETTER_AUTH / "node_modules" / "better-auth").is_dir():
        return "better-auth is not installed; run `make setup`"
    return None


def _rails() -> str | None:
    gems = "gem 'rails'; gem 'devise'; gem 'rbnacl'; gem 'jwt'; gem 'pg'; gem 'puma'"
    if _succeeds("ruby", "-e", gems):
        return None
    return "no Ruby with Rails and Devise; run `make setup`"


@functools.cache
def _output(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


@functools.cache
def _succeeds(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


PARTS: dict[str, Callable[[], str | None]] = {
    "postgres": _postgres,
    "postgres15": _postgres15,
    "node": _node,
    "rails": _rails,
}
