"""The files that an application's team wrote, as far as they can be read."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

MAX_FILE_BYTES = 1_048_576
# Others' code, and what is made by machine.
FOREIGN = frozenset({"__pycache__", "log", "node_modules", "tmp", "vendor"})
# And what no request runs through.
_LEFT_OUT = FOREIGN | {
    "bootstrap/cache",
    "bower_components",
    "coverage",
    "db/migrate",
    "dist",
    "migrations",
    "public",
    "spec",
    "storage/framework",
    "test",
    "testdata",
    "tests",
    "venv",
}


@dataclass
class SourceFiles:
    """Walks an application's folder; links are not followed.

    Attributes:
        endings: Of files that fit; None for all.
        left_out: Folders by name, or by path below the root; hidden ones always are.
        unread: Files that were left out although they fit, with the reason; complete after a walk.
    """

    root: Path
    endings: Collection[str] | None = None
    left_out: Collection[str] = _LEFT_OUT
    unread: dict[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """Give path (relative, `/` between parts) and content, in the order of the paths."""
        for path in sorted(self._paths()):
            name = path.relative_to(self.root).as_posix()
            try:
                if path.stat().st_size > MAX_FILE_BYTES:
                    self.unread[name] = f"larger than {MAX_FILE_BYTES // 1024} KiB"
                    continue
                yield name, path.read_bytes()
            except OSError as error:
                self.unread[name] = error.strerror or type(error).__name__

    def _paths(self) -> Iterator[Path]:
        for folder, folders, names in os.walk(self.root, onerror=self._note):
            here = self.root.__class__(folder)
            folders[:] = [name for name in folders if self._is_own(here / name)]
            for name in names:
                path = here / name
                if self._fits(path) and path.is_file() and not path.is_symlink():
                    yield path

    def _fits(self, path: Path) -> bool:
        return self.endings is None or path.suffix in self.endings

    def _is_own(self, folder: Path) -> bool:
        name = folder.relative_to(self.root).as_posix()
        hidden = folder.name.startswith(".")
        return not (hidden or folder.name in self.left_out or name in self.left_out)

    def _note(self, error: OSError) -> None:
        self.unread[str(error.filename)] = error.strerror or type(error).__name__
