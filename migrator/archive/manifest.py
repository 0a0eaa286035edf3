"""What an archive says of itself. Pure: the text goes in and out, files are read elsewhere."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from migrator.core.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = "migrator-archive/2"
MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
ERASURES = "erasures.json"
DIGEST = (
    "SHA-256 over the SHA-256 of up to 256 parts, in order; rows are parted by the first byte of their own SHA-256, a part is the "
    "sorted SHA-256 of its rows; a row is its fields' text in UTF-8 one after another, "
    "a field is N for NULL, else its length in bytes, a colon and the text; datestyle ISO, UTC"
)
# The same sums; what differs is how the server writes a value as text.
MARIADB_DIGEST = (
    DIGEST.removesuffix("; datestyle ISO, UTC")
    + "; as MariaDB writes it, bytes as hexadecimal digits, UTC"
)


@dataclass(frozen=True)
class ArchivedColumn:
    """A column whose values are kept; `collation` is empty when it is the type's own."""

    name: str
    type: str
    collation: str = ""


@dataclass(frozen=True)
class Excluded:
    """A column whose values are not kept, why, and what stands there after a restore."""

    column: str
    why: str
    instead: str


@dataclass(frozen=True)
class SequenceValue:
    """Where a sequence stood."""

    schema: str
    name: str
    last_value: int
    is_called: bool


@dataclass(frozen=True)
class Part:
    """Something that a table needs, or has where it can be had: a name or a few words, and SQL that makes it."""

    what: str
    sql: str


@dataclass(frozen=True)
class Rebuild:
    """SQL that makes a table anew in a database that has nothing of it.

    Attributes:
        create: Sequences and the table itself, before the rows.
        complete: Constraints and indexes, after the rows.
        keys: Foreign keys between tables of this archive, after all tables.
        left_out: What is not made, in words.
        types: Types by name that are made before it, unless they are there.
        extras: Made at the end, each where the database has what it needs: roles, functions.
    """

    create: str
    complete: str
    keys: str
    left_out: tuple[str, ...] = ()
    types: tuple[Part, ...] = ()
    extras: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Chunk:
    """One file: COPY text, compressed, encrypted.

    Attributes:
        file: Its name in the archive's folder.
        bytes: The file's size.
        sha256: Of the file.
        rows: In it.
    """

    file: str
    bytes: int
    sha256: str
    rows: int


@dataclass(frozen=True)
class ArchivedTable:
    """One table.

    Attributes:
        oid: Of the table that was read.
        rows: How many.
        sha256: Over the text form of the kept columns, as PostgreSQL computes it (see `digest` below).
        key: The primary key's columns, by which rows are in order; none without one.
        chunks: In order.
    """

    schema: str
    name: str
    oid: int
    rows: int
    sha256: str
    columns: tuple[ArchivedColumn, ...]
    key: tuple[str, ...]
    excluded: tuple[Excluded, ...]
    sequences: tuple[SequenceValue, ...]
    rebuild: Rebuild
    chunks: tuple[Chunk, ...] = ()

    @property
    def label(self) -> str:
        """Schema and name, as in migrator.toml."""
        return f"{self.schema}.{self.name}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """The kept columns, in the order of the fields of each row."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True)
class Manifest:
    """An archive.

    Attributes:
        plan_id: The removal's plan.
        step: The step that it belongs to.
        server_version: `server_version_num`, e.g. 180001.
        encoding: The database's.
        copy_encoding: Of the COPY text.
        snapshot_at: When the snapshot was taken, ISO 8601 UTC, by the database's clock.
        encryption: `age` or `none`.
        recipients: Public keys that it is encrypted to.
        erasure_key_file: Holds the key that the erasure list's entries are hashed with.
        digest: How each table's `sha256` is made.
    """

    plan_id: str
    step: str
    database: str
    server_version: int
    encoding: str
    copy_encoding: str
    snapshot_at: str
    encryption: str
    recipients: tuple[str, ...]
    erasure_key_file: str
    tables: tuple[ArchivedTable, ...]
    compression: str = "gzip"
    digest: str = DIGEST
    format: str = field(default=FORMAT)

    @property
    def of_mariadb(self) -> bool:
        """Whether SQL and values are MariaDB's."""
        return self.digest == MARIADB_DIGEST

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        """All chunks in order."""
        return tuple(chunk for table in self.tables for chunk in table.chunks)

    @property
    def sha256(self) -> str:
        """SHA-256 over all chunks: of their lines in the file of checksums."""
        return sha256(self._chunk_lines().encode()).hexdigest()

    @property
    def content_hash(self) -> str:
        """SHA-256 of the manifest's text, which stands for the whole archive."""
        return sha256(self.text().encode()).hexdigest()

    def text(self) -> str:
        """Give the file's content."""
        data = {"format": self.format, "sha256": self.sha256} | asdict(self)
        return json.dumps(data, indent=1, ensure_ascii=False) + "\n"

    def sums(self) -> str:
        """Give the file that `sha256sum -c` reads."""
        return self._chunk_lines() + f"{self.content_hash}  {MANIFEST}\n"

    def with_table(self, table: ArchivedTable) -> Manifest:
        """Give the manifest with one table's entry renewed."""
        kept = (table if old.label == table.label else old for old in self.tables)
        return replace(self, tables=tuple(kept))

    def table(self, label: str) -> ArchivedTable | None:
        """Give a table by schema and name."""
        return next((table for table in self.tables if table.label == label), None)

    def _chunk_lines(self) -> str:
        return "".join(f"{chunk.sha256}  {chunk.file}\n" for chunk in self.chunks)


def rebuild_of(data: Mapping[str, Any]) -> Rebuild:
    """Read what a file says of the way to make a table anew."""
    parts = {name: tuple(Part(**part) for part in data[name]) for name in ("types", "extras")}
    return Rebuild(**{**data, **parts, "left_out": tuple(data["left_out"])})


def parse_manifest(text: str, *, where: str) -> Manifest:
    """Read a manifest's text.

    Args:
        text: The file's content.
        where: The file, for the message.

    Raises:
        RefusedError: It is cut off, of another format, or its checksum over the chunks does not fit them.
    """
    try:
        data = json.loads(text)
        said, known = data.pop("sha256"), data["format"]
        if known != FORMAT:
            raise RefusedError(f"{where} is of the format {known}", hint=_OTHER_VERSION)
        manifest = _manifest(data)
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError(
            f"{where} is damaged or cut off ({type(error).__name__})", hint=ANOTHER_COPY
        ) from error
    if strange := [name for name in _files_of(manifest) if not _FILE.fullmatch(name)]:
        raise RefusedError(f"{where} names a file outside of its folder: {strange[0]}")
    if manifest.sha256 != said:
        raise RefusedError(f"{where}: its list of chunks was changed", hint=ANOTHER_COPY)
    return manifest


def _files_of(manifest: Manifest) -> tuple[str, ...]:
    return (manifest.erasure_key_file, *(chunk.file for chunk in manifest.chunks))


# A name and no path: it is looked for in the archive's folder and nowhere else.
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
ANOTHER_COPY = "nothing was written; take another copy of the archive"
_OTHER_VERSION = "use the version of migrator that wrote it"


def _manifest(data: Mapping[str, Any]) -> Manifest:
    fields = dict(data)
    fields["recipients"] = tuple(fields["recipients"])
    fields["tables"] = tuple(_table(table) for table in fields["tables"])
    return Manifest(**fields)


def _table(data: Mapping[str, Any]) -> ArchivedTable:
    return ArchivedTable(
        **{
            **data,
            "key": tuple(data["key"]),
            "columns": tuple(ArchivedColumn(**column) for column in data["columns"]),
            "excluded": tuple(Excluded(**column) for column in data["excluded"]),
            "sequences": tuple(SequenceValue(**value) for value in data["sequences"]),
            "rebuild": rebuild_of(data["rebuild"]),
            "chunks": tuple(Chunk(**chunk) for chunk in data["chunks"]),
        }
    )
