"""Users who cannot be followed: kept in a file, tried again at every pass."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from migrator.core.errors import UsageError
from migrator.core.users import RejectReason
from migrator.runner.syncing.brake import write_private
from migrator.runner.syncing.mapping import CHANGED_MEANWHILE, Obstacle

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# What may go away without the legacy row being touched.
RETRIED = frozenset(
    {str(RejectReason.TARGET_TAKEN), str(RejectReason.IDENTITY_TAKEN), CHANGED_MEANWHILE}
)


class Quarantine:
    """Obstacles by legacy key; those that the import listed already are left to its own file."""

    def __init__(self, file: Path, *, imported: Path) -> None:
        self._file = file
        self._listed = {(o.pk, o.reason) for o in _read(imported)}
        self._before = _read(file)
        self._by_pk: dict[str, list[Obstacle]] = {}
        self.add(self._before)

    @property
    def count(self) -> int:
        """Count the users."""
        return len(self._by_pk)

    def to_retry(self, *, reasons: frozenset[str] = RETRIED) -> list[str]:
        """Give the keys of users for whom another attempt may help."""
        found = (pk for pk, them in self._by_pk.items() if any(o.reason in reasons for o in them))
        return sorted(found)

    def forget(self, pks: Iterable[str]) -> None:
        """Take users out who are looked at anew."""
        for pk in pks:
            self._by_pk.pop(pk, None)

    def clear(self) -> None:
        """Take everybody out: all users are looked at anew."""
        self._by_pk.clear()

    def add(self, obstacles: Iterable[Obstacle]) -> None:
        """Take obstacles in."""
        for obstacle in obstacles:
            them = self._by_pk.setdefault(obstacle.pk, [])
            if (obstacle.pk, obstacle.reason) in self._listed or obstacle in them:
                if not them:
                    del self._by_pk[obstacle.pk]
                continue
            them.append(obstacle)

    def save(self) -> None:
        """Write the file, when something is different.

        Raises:
            DependencyError: It cannot be written.
        """
        now = [obstacle for _, them in sorted(self._by_pk.items()) for obstacle in them]
        if now != self._before:
            write_private(
                self._file, ({"id": o.pk, "reason": o.reason, "detail": o.detail} for o in now)
            )
            self._before = now


def _read(file: Path) -> list[Obstacle]:
    if not file.exists():
        return []
    try:
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        return [Obstacle(row["id"], row["reason"], row["detail"]) for row in rows]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{file.name} was changed by hand and cannot be read",
            hint=f"remove {file.name}, then: migrator import sync --full",
        ) from error
