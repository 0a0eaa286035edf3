"""The canaries of `[verify]`: who they are, and what of them the application's database says."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.conformance.interface import Person
from migrator.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from migrator.runner.verifying.rows import Row

COLUMNS = ("name", "user_pk", "email", "password")
EVERYBODY = ("alice", "bob")
_OTHERS = 0o077
_HINT = (
    f"write a CSV file with the header {','.join(COLUMNS)} and mode 0600; alice and bob are needed"
)


@dataclass(frozen=True)
class Named:
    """A line of the file; the password shows in no representation."""

    name: str
    user_pk: str
    email: str
    password: str = field(repr=False)


def read_people(path: Path) -> tuple[Named, ...]:
    """Read the file.

    Raises:
        UsageError: It is missing, readable by others, has other columns, or alice or bob is missing.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {path}", hint=_HINT)
    if path.stat().st_mode & _OTHERS:
        raise UsageError(
            f"{path} holds passwords and others may read it", hint=f"chmod 600 {path}"
        )
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if not set(COLUMNS) <= set(reader.fieldnames or ()):
            raise UsageError(f"{path} has other columns", hint=_HINT)
        found = tuple(Named(*(row[column] or "" for column in COLUMNS)) for row in reader)
    missing = set(EVERYBODY) - {person.name for person in found}
    if missing:
        raise UsageError(f"{path} has no line for {' and '.join(sorted(missing))}", hint=_HINT)
    return found


def linked(people: tuple[Named, ...], rows: Mapping[str, Row]) -> dict[str, Person]:
    """Give the canaries by name, with their Auther ids.

    Raises:
        UsageError: One has no identity row.
    """
    unlinked = sorted(person.name for person in people if person.user_pk not in rows)
    if unlinked:
        raise UsageError(
            f"nothing in migrator_identity links {', '.join(unlinked)}",
            hint="import them: migrator import run",
        )
    return {
        person.name: Person(
            person.name,
            person.user_pk,
            rows[person.user_pk].auther_id,
            person.email,
            person.password,
        )
        for person in people
    }
