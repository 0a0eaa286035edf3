"""Which real parts are on this machine, and why one is not."""

import functools
from collections.abc import Callable
from pathlib import Path

from tests.parts.postgres import embedded_binaries
from tests.setup import debian
from tests.setup.node import NODE_MAJOR_MIN, node_version
from tests.setup.paths import BETTER_AUTH, BETTER_AUTH_NEWEST, EXPRESS_APP, HONO_APP, use_parts
from tests.setup.sqld import program


@functools.cache
def missing(part: str) -> str | None:
    """The reason why `part` can't be used here, or None when it can.

    Raises:
        KeyError: no such part.
    """
    use_parts()
    return PARTS[part]()


def _postgres() -> str | None:
    try:
        programs = embedded_binaries()
    except FileNotFoundError as error:
        return f"{error}; run `make setup`"
    return None if (programs / "postgres").exists() else f"no PostgreSQL 18 in {programs}"


def _npm(project: Path, package: str) -> str | None:
    if node_version() is None:
        return f"no Node.js {NODE_MAJOR_MIN} or later with npm; run `make setup`"
    if not (project / "node_modules" / package).is_dir():
        return f"{package} is not installed in {project.name}; run `make setup`"
    return None


def _node() -> str | None:
    return _npm(BETTER_AUTH, "better-auth")


def _newest() -> str | None:
    return _npm(BETTER_AUTH_NEWEST, "better-auth") or _node()


def _express() -> str | None:
    return _npm(EXPRESS_APP, "express")


def _hono() -> str | None:
    return _npm(HONO_APP, "hono")


def _debian(key: str) -> str | None:
    return None if debian.is_there(key) else f"no {debian.PARTS[key].name}; run `make setup`"


def _sqld() -> str | None:
    try:
        program()
    except FileNotFoundError as error:
        return str(error)
    return None


PARTS: dict[str, Callable[[], str | None]] = {
    "postgres": _postgres,
    "node": _node,
    "newest": _newest,
    "express": _express,
    "hono": _hono,
    "sqld": _sqld,
    **{key: functools.partial(_debian, key) for key in debian.PARTS},
}
