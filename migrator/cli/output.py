"""The renderers: rich for people on stdout, JSON for programs."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, is_dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from migrator.core.clock import iso

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.core.errors import MigratorError

WIDTH = 100


def console() -> Console:
    """Make the console for people: plain when stdout is not a terminal, never wider than 100."""
    made = Console(highlight=False, soft_wrap=False)
    return made if made.is_terminal else Console(highlight=False, width=WIDTH)


def emit(as_json: bool, data: Any, people: Callable[[Console], None]) -> None:
    """Print a result once, for a program or for people."""
    if as_json:
        print_json(data)
    else:
        people(console())


def print_json(data: Any) -> None:
    """Print data as indented JSON on stdout."""
    sys.stdout.write(json.dumps(data, default=_plain, indent=2, ensure_ascii=False) + "\n")


def json_line(data: Any) -> str:
    """Give data as JSON on one line."""
    return json.dumps(data, default=_plain, ensure_ascii=False)


def print_error(error: MigratorError, *, as_json: bool) -> None:
    """Print an error: as JSON on stdout for programs, else on stderr with its hint."""
    if as_json:
        print_json({"error": error.message, "hint": error.hint, "exit_code": int(error.exit_code)})
        return
    sys.stderr.write(f"{error.message}\n")
    if error.hint:
        sys.stderr.write(f"next: {error.hint}\n")


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if isinstance(value, Path):
        return str(value)
    return str(value)
