"""Canaries: accounts whose password their owner gave us, to prove hashes with."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OTHERS = 0o077


@dataclass(frozen=True)
class Canary:
    """An address with its password; the password shows in no representation."""

    email: str
    password: str = field(repr=False)


def read_canaries(
    path: Path,
    *,
    email_column: str = "email",
    password_column: str = "password",  # noqa: S107
) -> tuple[Canary, ...]:
    """Read a CSV file with a column of addresses and one of passwords; others are ignored.

    Raises:
        UsageError: The file is missing, readable by others, has other columns or no rows.
    """
    columns = (email_column, password_column)
    heading = ",".join(columns)
    hint = f"write a CSV file with the header {heading} and mode 0600"
    if not path.is_file():
        raise UsageError(f"there is no file {path}", hint=hint)
    if path.stat().st_mode & _OTHERS:
        raise UsageError(
            f"{path} holds passwords and others may read it", hint=f"chmod 600 {path}"
        )
    try:
        canaries = tuple(_rows(path, *columns))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"{path} is not CSV in UTF-8 ({type(error).__name__})", hint=hint
        ) from None
    if not canaries:
        raise UsageError(f"{path} has no rows under a header {heading}", hint=hint)
    return canaries


def _rows(path: Path, email: str, password: str) -> Iterator[Canary]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if not {email, password} <= set(reader.fieldnames or ()):
            return
        for row in reader:
            yield Canary(row[email] or "", row[password] or "")
