"""What a person still has to decide about, on the way into the resolution file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.runner.importing.resolutions import parse, read_resolutions, read_text
from migrator.runner.importing.skeleton import merged, write_private

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.core.users import Reject
    from migrator.runner.importing.outcome import Outcome
    from migrator.runner.importing.rejects import Rejects


@dataclass(frozen=True)
class Undecided:
    """Rejects without a fitting entry, and the file's next text.

    Attributes:
        path: The resolution file.
        text: What it is going to hold.
        rejects: What is left to decide.
        decided: The number of entries that a person wrote.
        unmatched: Those of them that fit nobody.
    """

    path: Path
    text: str
    rejects: tuple[Reject, ...]
    decided: int
    unmatched: tuple[str, ...]

    @classmethod
    def of(cls, path: Path, outcome: Outcome, rejects: Rejects) -> Undecided:
        """Put the file's next text together.

        Args:
            path: The resolution file; it need not be there.
            outcome: Of a plan.
            rejects: Of the same plan, kept.
        """
        decided = read_resolutions(path)
        before = read_text(path) if path.exists() else ""
        text = merged(before, rejects.unresolved, decided=decided)
        # Never put a file in place that the next run could not read.
        parse(text, name=path.name)
        left = tuple(rejects.unresolved)
        return cls(path, text, left, len(decided), outcome.unmatched)

    def write(self) -> None:
        """Put the text in place of the file; killed half-way, the old one is still there."""
        write_private(self.path, self.text)

    def for_the_ledger(self) -> dict[str, Any]:
        """Give the counts; nothing here names a user."""
        return {
            "undecided": len(self.rejects),
            "decided": self.decided,
            "unmatched_resolutions": len(self.unmatched),
        }
