"""An archive's folder: begun anew or whole, renewed in one move."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING

from migrator.archive.files import disk, write
from migrator.archive.manifest import ANOTHER_COPY, MANIFEST, SUMS, parse_manifest
from migrator.config.on_disk import sync_folder
from migrator.core.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from migrator.archive.manifest import Manifest

_NEXT = MANIFEST + ".next"


@contextmanager
def made_aside(folder: Path) -> Iterator[Path]:
    """Give an empty folder beside the archive's; it takes the archive's place when the block ends well.

    A snapshot cannot be taken up again: what an interrupted archive left is removed here, and the next begins anew.

    Raises:
        DependencyError: The disk refuses; what was there before stays.
    """
    aside, old = _beside(folder)
    with disk(f"the archive in {folder.name} cannot be written"):
        for leftover in (aside, old):
            shutil.rmtree(leftover, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside.mkdir(mode=0o700)
    try:
        yield aside
        with disk(f"the archive in {folder.name} cannot be written"):
            sync_folder(aside)
            if folder.exists():
                folder.rename(old)
            aside.rename(folder)
            sync_folder(folder.parent)
    finally:
        for leftover in (aside, old):
            shutil.rmtree(leftover, ignore_errors=True)


def remove(folder: Path) -> None:
    """Remove an archive and what an interrupted one left; one that is not there is fine.

    Raises:
        DependencyError: The disk refuses.
    """
    with disk(f"the archive in {folder.name} cannot be removed"):
        for place in (folder, *_beside(folder)):
            if place.exists():
                shutil.rmtree(place)


def put_manifest(folder: Path, manifest: Manifest) -> None:
    """Write manifest and checksums, with which the archive is whole.

    Raises:
        DependencyError: The disk refuses.
    """
    with disk(f"{MANIFEST} cannot be written"):
        write(folder / SUMS, manifest.sums().encode())
        write(folder / MANIFEST, manifest.text().encode())


def announce(folder: Path, manifest: Manifest) -> None:
    """Write a renewed manifest beside the one that still holds; `arrive` decides between both.

    Raises:
        DependencyError: The disk refuses.
    """
    with disk(f"{_NEXT} cannot be written"):
        write(folder / _NEXT, manifest.text().encode())
        sync_folder(folder)


def arrive(folder: Path, content_hash: str) -> Manifest:
    """Give the manifest with this hash, and finish or drop a renewal that was interrupted.

    Args:
        folder: The archive's.
        content_hash: What was recorded where the archive does not lie.

    Raises:
        RefusedError: Neither the manifest nor its successor has this hash.
        DependencyError: The disk refuses.
    """
    following = folder / _NEXT
    with disk(f"the archive in {folder.name} cannot be read"):
        if following.is_file() and _hash(following) == content_hash:
            put_manifest(folder, _parsed(following))
        elif not (folder / MANIFEST).is_file():
            raise RefusedError(f"there is no archive in {folder}", hint=ANOTHER_COPY)
        elif _hash(folder / MANIFEST) != content_hash:
            raise RefusedError(
                f"{folder / MANIFEST} is not the manifest that was recorded", hint=ANOTHER_COPY
            )
        manifest = _parsed(folder / MANIFEST)
        following.unlink(missing_ok=True)
        _sweep(folder, manifest)
    return manifest


def alone(folder: Path, content_hashes: Sequence[str] = ()) -> Manifest:
    """Read an archive's manifest with nothing but the folder at hand.

    Args:
        folder: The archive's.
        content_hashes: From the receipt or the ledger; without any the file of checksums is believed.

    Raises:
        UsageError: There is no manifest in the folder.
        RefusedError: The manifest is damaged, or is none with such a hash.
        DependencyError: The disk cannot be read.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise UsageError(f"there is no {MANIFEST} in {folder}", hint="name the archive's folder")
    with disk(f"{MANIFEST} cannot be read"):
        manifest = _parsed(path)
        found = _hash(path)
        sums = folder / SUMS
        said = sums.read_text(encoding="utf-8") if sums.is_file() else ""
    if content_hashes and found not in content_hashes:
        raise RefusedError(f"{path} is no manifest with a hash that was given", hint=ANOTHER_COPY)
    if not content_hashes and f"{found}  {MANIFEST}\n" not in said:
        raise RefusedError(f"{path} was changed: its SHA-256 is not in {SUMS}", hint=ANOTHER_COPY)
    return manifest


def _beside(folder: Path) -> tuple[Path, Path]:
    """Give where an archive is made, and where the one is kept that it replaces."""
    return folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")


def _sweep(folder: Path, manifest: Manifest) -> None:
    """Remove chunks that a renewal replaced."""
    named = {chunk.file for chunk in manifest.chunks}
    for path in folder.glob("t*-c*.copy.gz*"):
        if path.name not in named:
            path.unlink()


def _parsed(path: Path) -> Manifest:
    return parse_manifest(path.read_bytes().decode("utf-8", "replace"), where=str(path))


def _hash(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
