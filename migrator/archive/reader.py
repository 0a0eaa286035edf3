"""Reads an archive, and refuses one that is not exactly what its manifest says."""

from __future__ import annotations

import zlib
from hashlib import sha256
from typing import TYPE_CHECKING

from migrator.archive.files import blocks, disk
from migrator.archive.manifest import ANOTHER_COPY
from migrator.core.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrator.archive.encryption import Opening
    from migrator.archive.manifest import ArchivedTable, Chunk, Manifest

_GZIP = 31
_PIECE_BYTES = 1 << 18


def check_chunks(folder: Path, manifest: Manifest) -> None:
    """Make sure that every chunk is there and as it was written; nothing is decrypted.

    Raises:
        RefusedError: One is missing, was changed or stands in another's place; all are named.
        DependencyError: The disk cannot be read.
    """
    owners = {chunk.sha256: chunk.file for chunk in manifest.chunks}
    with disk(f"the archive in {folder.name} cannot be read"):
        wrong = [said for chunk in manifest.chunks if (said := _wrong(folder, chunk, owners))]
    if wrong:
        raise RefusedError("; ".join(wrong), hint=ANOTHER_COPY)


def read_rows(folder: Path, table: ArchivedTable, opening: Opening) -> Iterator[bytes]:
    """Give a table's rows as COPY text, a piece at a time.

    Raises:
        RefusedError: A chunk was changed, does not open, or holds another number of rows.
        DependencyError: The disk cannot be read.
    """
    for chunk in table.chunks:
        yield from read_chunk(folder, chunk, opening)


def read_chunk(folder: Path, chunk: Chunk, opening: Opening) -> Iterator[bytes]:
    """Give one chunk's rows; as `read_rows`."""
    with disk(f"{chunk.file} of the archive cannot be read"):
        sealed = (folder / chunk.file).read_bytes()
    if sha256(sealed).hexdigest() != chunk.sha256:
        raise RefusedError(_changed(chunk), hint=ANOTHER_COPY)
    rows = 0
    for piece in _inflated(opening.open(sealed, what=chunk.file), chunk):
        rows += piece.count(b"\n")
        yield piece
    if rows != chunk.rows:
        raise RefusedError(f"{chunk.file} holds {rows} rows, not {chunk.rows}", hint=ANOTHER_COPY)


def _inflated(packed: bytes, chunk: Chunk) -> Iterator[bytes]:
    inflate = zlib.decompressobj(_GZIP)
    try:
        while packed and not inflate.eof:
            yield inflate.decompress(packed, _PIECE_BYTES)
            packed = inflate.unconsumed_tail
        yield inflate.flush()
    except zlib.error as error:
        raise RefusedError(f"{chunk.file} cannot be unpacked", hint=ANOTHER_COPY) from error


def _wrong(folder: Path, chunk: Chunk, owners: dict[str, str]) -> str:
    path = folder / chunk.file
    if not path.is_file():
        return f"{chunk.file} is missing"
    found = sha256()
    for block in blocks(path):
        found.update(block)
    if found.hexdigest() == chunk.sha256:
        return ""
    if other := owners.get(found.hexdigest()):
        return f"{chunk.file} holds what belongs into {other}"
    return _changed(chunk)


def _changed(chunk: Chunk) -> str:
    return f"{chunk.file} was changed: its SHA-256 is not that of the manifest"
