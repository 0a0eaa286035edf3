"""Follows PostgreSQL's server log through its rotation and counts refused statements by client."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrator.metrics.log_formats import UNFIT, reader_for

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Mapping

    from migrator.metrics.log_formats import Entry, Reader


@dataclass(frozen=True)
class Heard:
    """What a log said so far.

    Attributes:
        read_to: Bytes read of each file, by device and inode: a renamed file stays the same one.
        active: The file that was written to last.
        refused: Statements by client and SQLSTATE.
        controls: Planted refusals that the newest look found, by their nonce.
        unproven: Why something may have gone unheard; empty when nothing did.
    """

    read_to: Mapping[str, int] = field(default_factory=dict)
    active: str = ""
    refused: Mapping[str, int] = field(default_factory=dict)
    controls: tuple[str, ...] = ()
    unproven: str = ""

    @property
    def count(self) -> int:
        """How many statements were refused."""
        return sum(self.refused.values())

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return {**vars(self), "controls": list(self.controls)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Heard:
        """Read it back."""
        return cls(**{**data, "controls": tuple(data["controls"])})


class ServerLog:
    """The log files of the server that the application's database is on.

    Args:
        pattern: A whole path, in which `*` stands for anything in a name; ending in .json, .csv, or anything else for stderr.
        prefix: The server's `log_line_prefix`.
        database: Entries of other databases are left out.
        names: Tables and columns; entries that name none of them are left out.
    """

    def __init__(
        self, pattern: str, prefix: str, *, database: str, names: Collection[str]
    ) -> None:
        self._pattern = pattern
        self._prefix = prefix
        self._database = database
        words = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        self._names = re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)

    def begin(self) -> Heard:
        """Listen from now on.

        Raises:
            OSError: A file cannot be read.
        """
        files = self._files()
        read_to = {key: state.st_size for key, (_, state) in files.items()}
        return Heard(read_to, _newest(files), unproven=self._deaf(files))

    def listen(self, before: Heard) -> Heard:
        """Read on from where the last look ended.

        Raises:
            OSError: A file cannot be read.
        """
        files = self._files()
        make = reader_for(self._pattern, self._prefix)
        if make is None or not files:
            return Heard(**{**vars(before), "unproven": before.unproven or self._deaf(files)})
        read_to: dict[str, int] = {}
        found: list[Entry] = []
        for key, (path, state) in files.items():
            known = before.read_to.get(key, 0)
            start = known if known <= state.st_size else 0
            read_to[key] = _read(path, start, make(), found.append)
        lost = before.active not in files or before.read_to[before.active] > (
            files[before.active][1].st_size
        )
        return self._count(
            before,
            Heard(
                read_to,
                _newest(files),
                unproven=before.unproven
                or ("the log file that was written to is gone or was cut off" if lost else ""),
            ),
            found,
        )

    def _count(self, before: Heard, now: Heard, found: list[Entry]) -> Heard:
        refused, controls = Counter(before.refused), set[str]()
        for entry in found:
            if entry.database not in {"", self._database}:
                continue
            nonce = _CONTROL.search(entry.said)
            if nonce and not self._names_more(entry.said):
                controls.add(nonce[1])
            elif entry.sqlstate == UNFIT or self._names.search(entry.said):
                refused[f"{entry.client}: {entry.sqlstate}"] += 1
        return Heard(now.read_to, now.active, dict(refused), tuple(sorted(controls)), now.unproven)

    def _names_more(self, said: str) -> bool:
        """Tell whether an entry with a control names a table or column: then somebody has put its name into a query."""
        found = {name.lower() for name in self._names.findall(said)}
        return not found <= _WORDS_OF_A_CONTROL

    def _files(self) -> dict[str, tuple[Path, os.stat_result]]:
        root, pattern = Path(Path(self._pattern).anchor), Path(self._pattern)
        found = [(path, path.stat()) for path in sorted(root.glob(str(pattern.relative_to(root))))]
        return {f"{state.st_dev}:{state.st_ino}": (path, state) for path, state in found}

    def _deaf(self, files: Mapping[str, object]) -> str:
        if not files:
            return f"there is no file {self._pattern}"
        if reader_for(self._pattern, self._prefix) is None:
            return "log_line_prefix has no %e: use jsonlog or csvlog, or add it"
        return ""


def control_name(nonce: str) -> str:
    """Give the name of a table that is not there, so that asking for it is refused and logged."""
    return f"migrator_control_{nonce}"


_WORDS_OF_A_CONTROL = frozenset(
    ["select", "from", "relation", "column", "does", "not", "exist", "at", "character"]
)
_CONTROL = re.compile(r"migrator_control_([0-9a-f]+)")


def _newest(files: Mapping[str, tuple[Path, os.stat_result]]) -> str:
    return max(files, key=lambda key: (files[key][1].st_mtime_ns, str(files[key][0])), default="")


def _read(path: Path, start: int, reader: Reader, take: Callable[[Entry], None]) -> int:
    """Read complete entries; give where the next look goes on."""
    at = whole = start
    with path.open("rb") as file:
        file.seek(start)
        for line in file:
            if not line.endswith(b"\n"):
                break
            at += len(line)
            if entry := reader.feed(line.decode(errors="replace")):
                take(entry)
            whole = whole if reader.inside else at
    if entry := reader.end():
        take(entry)
    return whole
