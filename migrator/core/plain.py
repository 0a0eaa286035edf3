"""Users with nothing special about them, who can be taken over many at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class PlainUsers(NamedTuple):
    """Columns of equal length, in key order.

    Each of these users has an address in normal form that Auther's sign-in takes, a whole bcrypt
    hash without a salt of its own, a time of creation and of the last change, and neither user
    name, identity, second factor, role, lock nor deletion; all texts can be stored anywhere.

    Attributes:
        prints: SHA-256 of each hash in hexadecimal.
        names: Empty where there is none.
        created_ms: Unix milliseconds that Auther can hold, like `updated_ms`.
        confirmed: 1 where there is a time of confirmation, otherwise 0.
    """

    pks: list[str]
    emails: list[str]
    passwords: list[str]
    prints: list[str]
    names: list[str]
    created_ms: Sequence[int]
    updated_ms: Sequence[int]
    confirmed: bytes

    def pages(self, rows: int) -> Iterator[PlainUsers]:
        """Give them so many at a time."""
        for start in range(0, len(self.pks), rows):
            yield PlainUsers._make([column[start : start + rows] for column in self])
