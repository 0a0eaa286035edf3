"""Lines out of pieces of bytes that end anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def lines_of(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Give each line without its end; what follows the last end is none."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
