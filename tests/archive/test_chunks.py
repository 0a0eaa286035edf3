"""Chunks and manifest: written small, read back whole, and refused by name when anything differs."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from migrator.archive.encryption import Age, Identity, Unencrypted, make_identity
from migrator.archive.erasures import (
    add_to_list,
    make_erasure,
    put_key,
    read_key,
    read_list,
    without_erased,
)
from migrator.archive.folder import alone, announce, arrive, made_aside, put_manifest
from migrator.archive.manifest import (
    ArchivedColumn,
    ArchivedTable,
    Manifest,
    Rebuild,
    parse_manifest,
)
from migrator.archive.reader import check_chunks, read_rows
from migrator.archive.writer import ChunkSize, chunk_name, write_chunk, write_chunks
from migrator.core.errors import DependencyError, RefusedError, UsageError
from tests.parts import require

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PRIVATE, PUBLIC = make_identity()
ROWS = [f"{n}\tuser {n}\t\\N\n".encode() for n in range(1, 11)]


def written(folder: Path, rows: Sequence[bytes] = ROWS, *, size: int = 4) -> Manifest:
    """An archive of one table in a folder, in chunks of a few rows."""
    sealing = Age([PUBLIC])
    with made_aside(folder) as aside:
        chunks = list(
            write_chunks(
                aside,
                rows,
                sealing,
                name=lambda number: chunk_name(1, number, sealing),
                size=ChunkSize(size, 1 << 20),
            )
        )
        table = ArchivedTable(
            schema="public",
            name="people",
            oid=1,
            rows=len(rows),
            sha256="0" * 64,
            columns=(
                ArchivedColumn("id", "bigint"),
                ArchivedColumn("name", "text"),
                ArchivedColumn("at", "date"),
            ),
            key=("id",),
            excluded=(),
            sequences=(),
            rebuild=Rebuild("", "", ""),
            chunks=tuple(chunk.chunk for chunk in chunks),
        )
        manifest = Manifest(
            plan_id="p",
            step="06_archive_tables",
            database="shop",
            server_version=180001,
            encoding="UTF8",
            copy_encoding="UTF8",
            snapshot_at="2026-11-23T03:00:00.000000Z",
            encryption="age",
            recipients=(PUBLIC,),
            erasure_key_file=put_key(aside, b"k" * 32, sealing),
            tables=(table,),
        )
        put_manifest(aside, manifest)
    return manifest


def test_what_is_written_is_read_back_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    manifest = written(folder)
    assert [chunk.rows for chunk in manifest.chunks] == [4, 4, 2]
    check_chunks(folder, alone(folder))
    assert b"".join(read_rows(folder, manifest.tables[0], Identity(PRIVATE))) == b"".join(ROWS)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not any(b"user 1" in path.read_bytes() for path in folder.iterdir())


@pytest.mark.parametrize("name", ["../t1-c1.copy.gz.age", "/etc/passwd", "..", "a/b", "a\nb", ""])
def test_a_manifest_names_no_file_outside_of_its_folder(tmp_path: Path, name: str) -> None:
    manifest = written(tmp_path / "archive")
    (table,) = manifest.tables
    chunks = (replace(table.chunks[0], file=name), *table.chunks[1:])
    for bent in (
        manifest.with_table(replace(table, chunks=chunks)),
        replace(manifest, erasure_key_file=name),
    ):
        with pytest.raises(RefusedError, match="a file outside of its folder"):
            parse_manifest(bent.text(), where="manifest.json")


def test_a_chunk_opens_with_the_tools_at_hand(tmp_path: Path) -> None:
    require("age")
    manifest = written(tmp_path / "archive")
    (tmp_path / "key").write_text(PRIVATE)
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=tmp_path / "archive",
        capture_output=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    opened = subprocess.run(
        ["age", "-d", "-i", tmp_path / "key", tmp_path / "archive" / manifest.chunks[0].file],
        capture_output=True,
        check=True,
    )
    assert gzip.decompress(opened.stdout) == b"".join(ROWS[:4])


def test_a_large_value_makes_a_chunk_of_its_own_and_no_rows_make_none(tmp_path: Path) -> None:
    sealing = Unencrypted()
    rows = [b"1\n", b"2" * 5000 + b"\n", b"3\n"]
    made = list(
        write_chunks(
            tmp_path,
            rows,
            sealing,
            name=lambda number: chunk_name(7, number, sealing),
            size=ChunkSize(100, 4096),
        )
    )
    assert [(m.chunk.file, m.chunk.rows) for m in made] == [
        ("t007-c00001.copy.gz", 2),
        ("t007-c00002.copy.gz", 1),
    ]
    assert (made[0].first_row, made[1].last_row) == (b"1", b"3")
    assert write_chunk(tmp_path / "nothing", [], sealing) is None
    assert not (tmp_path / "nothing").exists()


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def swap(folder: Path) -> None:
    first, second = (folder / f"t001-c0000{n}.copy.gz.age" for n in (1, 2))
    first.rename(folder / "aside")
    second.rename(first)
    (folder / "aside").rename(second)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


FAULTS = {
    "a flipped bit": (
        lambda f: flip(f / "t001-c00002.copy.gz.age"),
        "t001-c00002.copy.gz.age was changed",
    ),
    "a missing chunk": (
        lambda f: (f / "t001-c00003.copy.gz.age").unlink(),
        "t001-c00003.copy.gz.age is missing",
    ),
    "two chunks in each other's place": (
        swap,
        "t001-c00001.copy.gz.age holds what belongs into t001-c00002",
    ),
    "a manifest that is cut off": (
        lambda f: cut(f / "manifest.json"),
        "manifest.json is damaged or cut off",
    ),
    "a changed manifest": (
        lambda f: (f / "manifest.json").write_text(
            (f / "manifest.json").read_text().replace('"rows": 10', '"rows": 11')
        ),
        "its SHA-256 is not in SHA256SUMS",
    ),
    "a chunk that is not on the list": (
        lambda f: (f / "manifest.json").write_text(
            (f / "manifest.json").read_text().replace("t001-c00003", "t001-c00004")
        ),
        "its list of chunks was changed",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_archive_that_is_not_as_it_was_is_refused_by_name(tmp_path: Path, fault: str) -> None:
    folder = tmp_path / "archive"
    written(folder)
    spoil, said = FAULTS[fault]
    spoil(folder)
    with pytest.raises(RefusedError, match=said):
        check_chunks(folder, alone(folder))


def test_only_the_manifest_with_the_hash_from_the_receipt_is_taken(tmp_path: Path) -> None:
    manifest = written(tmp_path / "archive")
    assert alone(tmp_path / "archive", [manifest.content_hash]) == manifest
    with pytest.raises(RefusedError, match="no manifest with a hash that was given"):
        alone(tmp_path / "archive", ["0" * 64])
    with pytest.raises(UsageError, match=r"no manifest\.json"):
        alone(tmp_path)


def test_a_manifest_of_another_format_is_refused() -> None:
    with pytest.raises(RefusedError, match="is of the format migrator-archive/9"):
        parse_manifest('{"sha256": "", "format": "migrator-archive/9"}', where="x")


def test_another_identity_opens_nothing(tmp_path: Path) -> None:
    manifest = written(tmp_path / "archive")
    other = Identity(make_identity()[0])
    with pytest.raises(RefusedError, match=r"t001-c00001.* does not open with this identity"):
        list(read_rows(tmp_path / "archive", manifest.tables[0], other))


def test_keys_that_are_none_are_refused_without_being_repeated() -> None:
    with pytest.raises(UsageError, match="one is not a public key") as caught:
        Age(["age1nonsense"])
    assert "nonsense" not in caught.value.message + caught.value.hint
    with pytest.raises(UsageError, match="no private key of age") as caught:
        Identity("AGE-SECRET-KEY-1NONSENSE")
    assert "NONSENSE" not in caught.value.message
    with pytest.raises(UsageError, match="no public key") as caught:
        Age([])
    assert "migrator remove keygen" in caught.value.hint
    assert Identity(f"# created: today\n{PRIVATE}\n")


def test_a_full_disk_leaves_what_was_there_and_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = written(tmp_path / "archive")
    (tmp_path / "archive.new").mkdir()
    (tmp_path / "archive.new/of a killed one").touch()

    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DependencyError, match="No space left on device"):
        written(tmp_path / "archive", ROWS[:1])
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]
    assert alone(tmp_path / "archive") == before


def test_a_renewal_arrives_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    old = written(folder)
    chunk = write_chunk(folder / "t001-c00001-e01.copy.gz.age", ROWS[1:4], Age([PUBLIC]))
    assert chunk is not None
    table = old.tables[0]
    new = old.with_table(replace(table, rows=9, chunks=(chunk, *table.chunks[1:])))
    announce(folder, new)
    # The database did not get as far as that.
    shutil.copytree(folder, tmp_path / "undone")
    assert arrive(tmp_path / "undone", old.content_hash) == old
    assert not (tmp_path / "undone" / chunk.file).exists()
    check_chunks(tmp_path / "undone", old)
    assert arrive(folder, new.content_hash) == new
    assert not (folder / table.chunks[0].file).exists()
    check_chunks(folder, alone(folder))
    with pytest.raises(RefusedError, match="is not the manifest that was recorded"):
        arrive(folder, old.content_hash)


def test_erased_rows_do_not_come_back_and_the_list_names_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    manifest = written(folder)
    assert read_list(folder) == ()
    key = read_key(folder, manifest, Identity(PRIVATE))
    asked = [make_erasure(key, "public.people", ["id"], ["3"], at="now")]
    asked += [make_erasure(key, "public.people", ["name"], ["user 7"], at="now")]
    assert len(add_to_list(folder, asked)) == len(add_to_list(folder, asked)) == 2
    assert '"3"' not in (folder / "erasures.json").read_text()
    rows = read_rows(folder, manifest.tables[0], Identity(PRIVATE))
    names = manifest.tables[0].column_names
    left = without_erased(
        rows,
        manifest.tables[0],
        read_list(folder),
        key,
        texts=lambda columns, lines: (
            (line, [line.decode().split("\t")[names.index(c)] for c in columns]) for line in lines
        ),
    )
    assert b"".join(left) == b"".join(row for n, row in enumerate(ROWS, 1) if n not in {3, 7})
    (folder / "erasures.json").write_text("{")
    with pytest.raises(RefusedError, match="is damaged or cut off"):
        read_list(folder)
