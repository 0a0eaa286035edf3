"""Users written through the plugin, each with an outcome, as all or none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from migrator.auther.interface import Stored, TargetChangedError
from migrator.auther.ways.pages import pages_within
from migrator.core.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from migrator.auther.interface import Mapped
    from migrator.auther.ways.door import Door

_INSERTED, _THERE, _REFUSED = "inserted", "there", "refused"


class Upserts:
    """Writes users; whoever meets somebody else is left out, while the others of a page are written.

    Attributes:
        half_done: Users of a page that was not written whole. Until it is, they count as not being
            there: the page is looked at and written again, and then counted once.
    """

    def __init__(self, door: Door, read: Callable[[Sequence[str]], Mapping[str, Stored]]) -> None:
        self.half_done: frozenset[str] = frozenset()
        self._door = door
        self._read = read

    def write(self, rows: Sequence[Mapped]) -> None:
        """Write users.

        Raises:
            TargetChangedError: Somebody else came into being meanwhile.
            RefusedError: The plugin does not take users of this migration.
            DependencyError: Auther does not answer.
        """
        outcomes: dict[str, str] = {}
        for page in pages_within(rows, _person):
            body = b'{"users":[%b]}' % b",".join(page.texts)
            answers = self._door.post("upsert", body, _answers)
            outcomes.update((row.user.id, a) for row, a in zip(page.items, answers, strict=True))
        self._refuse(outcomes)
        written = {user_id for user_id, outcome in outcomes.items() if outcome == _INSERTED}
        written |= self._ours([row for row in rows if outcomes[row.user.id] == _THERE])
        self.half_done = frozenset()
        if len(written) < len(rows):
            self.half_done = frozenset(written)
            raise TargetChangedError

    def _refuse(self, outcomes: Mapping[str, str]) -> None:
        refused = [user_id for user_id, outcome in outcomes.items() if outcome == _REFUSED]
        if refused:
            raise RefusedError(
                f"{self._door.name} refused {len(refused)} users, user {refused[0]} among them:"
                " its MIGRATOR_MARK is not the one of this migration's key, or they have a role there",
                hint="migrator import plugin --out DIR --env-file FILE writes the right MIGRATOR_MARK",
            )

    def _ours(self, rows: Sequence[Mapped]) -> set[str]:
        """Tell who is there exactly as we write them: the answer to an earlier attempt was lost."""
        wanted = {row.user.id: Stored(row.user, tuple(sorted(row.accounts))) for row in rows}
        there = self._read(list(wanted)) if wanted else {}
        return {user_id for user_id, stored in wanted.items() if there.get(user_id) == stored}


def _person(row: Mapped) -> bytes:
    person = {
        "user": row.user._asdict(),
        "accounts": [account._asdict() for account in row.accounts],
        "tuples": [found._asdict() for found in row.tuples],
    }
    return json.dumps(person, ensure_ascii=False, separators=(",", ":")).encode()


def _answers(answer: Any) -> list[str]:
    return [str(outcome["outcome"]) for outcome in answer["outcomes"]]
