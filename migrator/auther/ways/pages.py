"""Cuts what is to be sent into requests that the plugin takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")
MOST_ITEMS = 1000
# The plugin takes 8 MiB.
MOST_BYTES = 7 * 1024 * 1024


@dataclass
class Page(Generic[T]):
    """A request: things and how they are written, in the same order."""

    items: list[T]
    texts: list[bytes]


def pages_within(items: Sequence[T], write: Callable[[T], bytes]) -> Iterator[Page[T]]:
    """Cut into requests; a thing that is too large by itself gets one of its own.

    Args:
        items: In the order in which they are to be sent.
        write: Gives a thing's JSON.
    """
    page: Page[T] = Page([], [])
    size = 0
    for item in items:
        text = write(item)
        if page.items and (len(page.items) == MOST_ITEMS or size + len(text) > MOST_BYTES):
            yield page
            page, size = Page([], []), 0
        page.items.append(item)
        page.texts.append(text)
        size += len(text) + 1
    if page.items:
        yield page
