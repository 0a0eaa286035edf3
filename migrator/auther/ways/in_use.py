"""Finds out whether an Auther is running on a database file, as far as that can be seen."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from migrator.core.queries import load

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT_S = 3.0
_PROC = Path("/proc")
_QUERIES = load("migrator.auther.ways", "sqlite.sql")


def sign_of_use(path: Path, *, api: str) -> str:
    """Say how one can tell that Auther runs on a file; empty when nothing tells.

    Args:
        path: The file.
        api: The base of better-auth's HTTP API, empty when it is not known.
    """
    processes = ", ".join(map(str, sorted(openers(path))))
    if processes:
        return f"it is open in process {processes}"
    if api and _published_keys(api) & _keys_in(path):
        return f"the Auther at {httpx.URL(api).host} signs with a key that is in it"
    return ""


def openers(path: Path) -> Iterator[int]:
    """Find the processes with the file open; those of other users stay unseen without root."""
    wanted = path.stat()
    for process in _PROC.glob("[0-9]*"):
        if int(process.name) != os.getpid() and _has_open(process, wanted):
            yield int(process.name)


def _has_open(process: Path, wanted: os.stat_result) -> bool:
    try:
        # A Path for each of thousands of handles would take most of the time.
        handles = list(os.scandir(process / "fd"))
    except OSError:
        return False
    for handle in handles:
        try:
            found = handle.stat()
        except OSError:
            continue
        if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
            return True
    return False


def _published_keys(api: str) -> frozenset[str]:
    """Give the names of the keys that a running Auther publishes; they are ids of rows."""
    try:
        answer = httpx.get(f"{api}/jwks", timeout=TIMEOUT_S)
        found: Any = answer.json()
        return frozenset(str(key["kid"]) for key in found["keys"])
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
        return frozenset()


def _keys_in(path: Path) -> frozenset[str]:
    uri = f"{path.resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=1)) as connection:
            return frozenset(key for (key,) in connection.execute(_QUERIES["signing_keys"]))
    except sqlite3.Error:
        return frozenset()
