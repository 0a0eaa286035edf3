"""Another time of day for a Ruby program: it stands still until it is set anew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

READER = Path(__file__).with_suffix(".rb")


@dataclass(frozen=True)
class OtherTime:
    """The file from which programs read what time it is."""

    path: Path

    def set(self, at: datetime) -> None:
        """Let it be this time."""
        draft = self.path.with_suffix(".draft")
        draft.write_text(f"{at.timestamp():.6f}")
        draft.replace(self.path)

    @property
    def environment(self) -> dict[str, str]:
        """What a program has to be started with."""
        return {"RUBYOPT": f"-r{READER}", "OTHER_TIME_FILE": str(self.path)}
