"""Rows that may not come back: a list beside the archive that tells nobody who is on it.

An entry is a keyed hash of a row's values, so numbers cannot be tried out without the key. The key lies in the archive
too, encrypted to the same recipients: whoever can restore can also leave out what was erased.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from migrator.archive.encryption import ENDINGS
from migrator.archive.files import disk, write
from migrator.archive.manifest import ANOTHER_COPY, ERASURES
from migrator.core.errors import RefusedError
from migrator.core.lines import lines_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from migrator.archive.encryption import Opening, Sealing
    from migrator.archive.manifest import ArchivedTable, Manifest

_FORMAT = "migrator-erasures/1"
_KEY = "erasures.key"


@dataclass(frozen=True)
class Erasure:
    """Rows of a table that may not come back.

    Attributes:
        table: Schema and name.
        columns: Whose values are hashed.
        hash: HMAC-SHA-256 over table, columns and values.
        at: When it was asked for, ISO 8601 UTC.
    """

    table: str
    columns: tuple[str, ...]
    hash: str
    at: str


def make_erasure(
    key: bytes, table: str, columns: Sequence[str], values: Sequence[str | None], *, at: str
) -> Erasure:
    """Make an entry; `values` are the columns' texts."""
    return Erasure(table, tuple(columns), _hash(key, table, columns, values), at)


def put_key(folder: Path, key: bytes, sealing: Sealing) -> str:
    """Write the list's key into an archive that is being made; give the file's name.

    Raises:
        DependencyError: The disk refuses.
    """
    name = _KEY + ENDINGS[sealing.name]
    with disk(f"{name} cannot be written"):
        write(folder / name, sealing.seal(key.hex().encode() + b"\n"))
    return name


def read_key(folder: Path, manifest: Manifest, opening: Opening) -> bytes:
    """Give the key of an archive's list.

    Raises:
        RefusedError: It does not open, or is none.
        DependencyError: The disk cannot be read.
    """
    name = manifest.erasure_key_file
    with disk(f"{name} of the archive cannot be read"):
        sealed = (folder / name).read_bytes()
    try:
        return bytes.fromhex(opening.open(sealed, what=name).decode())
    except ValueError as error:
        raise RefusedError(f"{name} holds no key", hint=ANOTHER_COPY) from error


def read_list(folder: Path) -> tuple[Erasure, ...]:
    """Give an archive's erasures, none when there is no list.

    Raises:
        RefusedError: The list is damaged: without it what was erased would come back.
        DependencyError: The disk cannot be read.
    """
    path = folder / ERASURES
    if not path.is_file():
        return ()
    try:
        with disk(f"{ERASURES} cannot be read"):
            entries = json.loads(path.read_bytes())["entries"]
        return tuple(Erasure(**{**e, "columns": tuple(e["columns"])}) for e in entries)
    except (ValueError, KeyError, TypeError) as error:
        raise RefusedError(f"{path} is damaged or cut off", hint=ANOTHER_COPY) from error


def add_to_list(folder: Path, erasures: Iterable[Erasure]) -> tuple[Erasure, ...]:
    """Write entries into an archive's list; those that are there already stay once.

    Returns:
        The whole list.

    Raises:
        DependencyError: The disk refuses; the list is as it was.
    """
    known = {(e.table, e.hash): e for e in read_list(folder)}
    for erasure in erasures:
        known.setdefault((erasure.table, erasure.hash), erasure)
    data = {"format": _FORMAT, "entries": [asdict(e) for e in known.values()]}
    with disk(f"{ERASURES} cannot be written"):
        write(folder / ERASURES, (json.dumps(data, indent=1) + "\n").encode())
    return tuple(known.values())


def without_erased(
    rows: Iterable[bytes],
    table: ArchivedTable,
    erasures: Sequence[Erasure],
    key: bytes,
    *,
    texts: Callable[
        [Sequence[str], Iterable[bytes]], Iterator[tuple[bytes, Sequence[str | None]]]
    ],
) -> Iterator[bytes]:
    """Give a table's rows without those on the list.

    Args:
        rows: COPY text.
        table: Whose rows they are.
        erasures: The list.
        key: The list's.
        texts: Gives each row of COPY text with what stands in some columns, the same text for what is one value there.
    """
    asked = {e.columns for e in erasures if e.table == table.label}
    hashes = {e.hash for e in erasures}
    names = sorted({column for columns in asked for column in columns})
    places = {columns: [names.index(c) for c in columns] for columns in asked}
    for line, found in texts(names, lines_of(rows)):
        if not any(
            _hash(key, table.label, columns, [found[p] for p in at]) in hashes
            for columns, at in places.items()
        ):
            yield line + b"\n"


def _hash(key: bytes, table: str, columns: Sequence[str], values: Sequence[str | None]) -> str:
    content = json.dumps([table, list(columns), list(values)], separators=(",", ":"))
    return hmac.digest(key, content.encode(), "sha256").hex()
