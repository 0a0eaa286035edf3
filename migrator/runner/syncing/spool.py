"""Keys that wait for their turn, in a private file that nobody else can open."""

from __future__ import annotations

import json
import tempfile
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType
    from typing import Self


class Spool:
    """Takes keys in order and gives them back in chunks; gone when it is closed."""

    def __init__(self) -> None:
        # Closed when the block ends that the spool is for.
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self.count = 0

    def add(self, keys: Iterable[str]) -> None:
        """Put keys at the end."""
        for key in keys:
            self._file.write(json.dumps(key) + "\n")
            self.count += 1

    def chunks(self, rows: int) -> Iterator[list[str]]:
        """Read all keys from the beginning; nothing may be added after that."""
        self._file.seek(0)
        while chunk := [json.loads(line) for line in islice(self._file, rows)]:
            yield chunk

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
