"""One reason of a verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrator.config.model import Config
    from migrator.runner.readiness.findings import Findings


@dataclass(frozen=True)
class Reason:
    """Something that stands in the way or needs care.

    Attributes:
        code: Stable name for programs and the ledger.
        text: What was found, in a sentence with its numbers; names nobody.
        todo: What to do about it.
    """

    code: str
    text: str
    todo: str


Rule = Callable[["Findings", "Config"], Iterator[Reason]]
