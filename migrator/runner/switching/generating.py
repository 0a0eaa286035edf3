"""Writes generated files beside what a team already has there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING

from migrator.core.errors import DependencyError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Kept beside the code so that a later run knows what the team changed; belongs into its repository.
MANIFEST = ".dual-path.json"


class FileState(StrEnum):
    """What writing a file would do."""

    NEW = "new"
    SAME = "unchanged"
    NEWER = "update"
    EDITED = "edited by hand"


@dataclass(frozen=True)
class Generation:
    """Files to write.

    Attributes:
        texts: Each file's text by its path below `out`.
        states: What writing each would do.
    """

    out: Path
    target: str
    texts: Mapping[str, str]
    states: Mapping[str, FileState]

    @property
    def content_hash(self) -> str:
        """Give one SHA-256 over all paths and texts, hex."""
        return _digest(json.dumps(_hashes(self.texts), sort_keys=True))

    @property
    def edited(self) -> tuple[str, ...]:
        """Name the files that would lose somebody's work."""
        return tuple(path for path, state in self.states.items() if state is FileState.EDITED)


@dataclass(frozen=True)
class Written:
    """What an earlier run wrote.

    Attributes:
        hashes: SHA-256 of each file's text by its path, hex.
    """

    target: str
    hashes: Mapping[str, str]

    def is_as_written(self, folder: Path, path: str) -> bool:
        """Tell whether a file still is what was generated."""
        return _digest((folder / path).read_text(encoding="utf-8")) == self.hashes[path]


def written(out: Path) -> Written | None:
    """Read what was generated into a folder, None where nothing was."""
    try:
        found = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
        return Written(str(found["target"]), dict(found["files"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def compare(out: Path, target: str, texts: Mapping[str, str]) -> Generation:
    """Compare rendered files with what is there."""
    before = written(out)
    hashes = before.hashes if before else {}
    states = {path: _state(out / path, text, hashes.get(path)) for path, text in texts.items()}
    return Generation(out, target, texts, states)


def write(generation: Generation, *, force: bool) -> None:
    """Write the files.

    Interrupted, some files are new and some old, each whole; the same call finishes.

    Raises:
        RefusedError: A file was edited by hand and `force` is off; nothing was written.
        DependencyError: The folder cannot be written to.
    """
    if generation.edited and not force:
        raise RefusedError(
            f"edited by hand since it was generated: {', '.join(generation.edited)}",
            hint="commit your changes, then the same command with --force, and merge",
        )
    texts = {path: generation.texts[path] for path in generation.states}
    hashes = {"target": generation.target, "files": _hashes(texts)}
    # The manifest last: until it is there, what was written counts as not yet known.
    try:
        for path, text in {**texts, MANIFEST: json.dumps(hashes, indent=1) + "\n"}.items():
            _replace(generation.out / path, text)
    except OSError as error:
        raise DependencyError(
            f"{generation.out} cannot be written to: {error.strerror}",
            hint="check the folder and the disk, then try the same command again",
        ) from error


def _state(path: Path, text: str, written_hash: str | None) -> FileState:
    try:
        there = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return FileState.NEW
    except (OSError, UnicodeDecodeError):
        return FileState.EDITED
    if there == text:
        return FileState.SAME
    return FileState.NEWER if _digest(there) == written_hash else FileState.EDITED


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".new")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


def _hashes(texts: Mapping[str, str]) -> dict[str, str]:
    return {path: _digest(text) for path, text in texts.items()}


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
