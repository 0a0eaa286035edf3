"""What is asked of a library: which tables and columns are its own, and what would be lost with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Loss(StrEnum):
    """A protection that Auther has no place for: who removes it has to say so."""

    LOCKOUT = "lockout"
    SECOND_FACTORS = "second_factors"


@dataclass(frozen=True)
class Code:
    """What the application's own code has of a library, and when it goes.

    Attributes:
        explicit: How its model leaves columns alone from then on; `{columns}` is the list, in quotes.
        language: Of `explicit`, as Markdown calls it.
        first: What goes before anything in the database does.
        last: What goes when the removal is final.
    """

    explicit: str
    language: str
    first: tuple[str, ...]
    last: tuple[str, ...]


@dataclass(frozen=True)
class Usual:
    """One library.

    Attributes:
        columns: Of the users table; those go by default, when they exist.
        tables: Beside it, without a schema; those go by default, when they exist.
        losses: Columns and tables by what is lost with them; some go only when they are listed.
        code: Of the application; None where the library's code is not known.
        notes: What a person has to know of this library's code before anything goes.
    """

    columns: tuple[str, ...]
    tables: tuple[str, ...] = ()
    losses: Mapping[Loss, frozenset[str]] = field(default_factory=dict)
    code: Code | None = None
    notes: tuple[str, ...] = ()
