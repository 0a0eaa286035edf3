"""The file of users that were not imported: one JSON object a line, readable by its owner only."""

from __future__ import annotations

import json
from contextlib import contextmanager
from hashlib import sha256
from typing import IO, TYPE_CHECKING

from migrator.core.resolutions import Action
from migrator.runner.private_file import put_in_place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from migrator.core.resolutions import Resolution
    from migrator.core.users import Reject


class Rejects:
    """Takes rejects in key order and knows the hash that an acknowledgement binds to.

    Attributes:
        acknowledged: Keys of those that the resolution file skips for this very reason.
        unresolved: All others, where they are kept.
    """

    def __init__(
        self,
        file: IO[str] | None,
        *,
        resolutions: Mapping[str, Resolution] | None = None,
        keep: bool = False,
    ) -> None:
        self._file = file
        self._hash = sha256()
        self._resolutions = resolutions or {}
        self._keep = keep
        self.acknowledged: set[str] = set()
        self.unresolved: list[Reject] = []

    def add(self, reject: Reject) -> None:
        """Write one user."""
        line = {"id": reject.pk, "reason": str(reject.reason), "detail": reject.detail}
        if self._is_skipped(reject):
            self.acknowledged.add(reject.pk)
            line["resolution"] = str(Action.SKIP)
        elif self._keep:
            self.unresolved.append(reject)
        self._hash.update(json.dumps([reject.pk, str(reject.reason)]).encode() + b"\n")
        if self._file is not None:
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def _is_skipped(self, reject: Reject) -> bool:
        found = self._resolutions.get(reject.pk)
        return found is not None and Action.SKIP in found.actions and found.reason is reject.reason

    def digest(self) -> str:
        """Give the SHA-256 of ids and reasons so far, in hexadecimal."""
        return self._hash.hexdigest()


@contextmanager
def open_rejects(
    path: Path, *, resolutions: Mapping[str, Resolution] | None = None
) -> Iterator[Rejects]:
    """Write a new file of rejects; it takes the place of the old one when the block ends well.

    If the process is killed, the old file stays, and beside it a part that the next run overwrites.

    Raises:
        DependencyError: The file cannot be written.
    """
    hint = "make room or set import.rejects_file in migrator.toml, then run the same again"
    with put_in_place(path, what="the rejects file", hint=hint) as file:
        yield Rejects(file, resolutions=resolutions)
