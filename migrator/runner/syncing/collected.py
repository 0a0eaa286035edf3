"""Rejects of an import, taken as obstacles of a sync."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.runner.importing.rejects import Rejects
from migrator.runner.syncing.mapping import Obstacle

if TYPE_CHECKING:
    from migrator.core.users import Reject


class Collected(Rejects):
    """Takes rejects as obstacles."""

    def __init__(self) -> None:
        super().__init__(None)
        self.obstacles: list[Obstacle] = []

    def add(self, reject: Reject) -> None:
        """Keep one."""
        self.obstacles.append(Obstacle(reject.pk, str(reject.reason), reject.detail))
