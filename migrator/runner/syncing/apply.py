"""Writes what a pass found, chunk by chunk.

Auther is written first and `migrator_identity` after it. If the process dies in between, the next pass
finds the same difference and writes the same again; the other way round a changed password would
look like one that Auther has already.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.core.users import RejectReason
from migrator.runner.importing.batch import Batch
from migrator.runner.importing.importer import Importer, Sides
from migrator.runner.importing.prefetch import prefetched
from migrator.runner.syncing.collected import Collected
from migrator.runner.syncing.examine import Examined
from migrator.runner.syncing.mapping import CHANGED_MEANWHILE, Obstacle
from migrator.runner.syncing.merge import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migrator.core.users import LegacyUser
    from migrator.runner.syncing.brake import Harm
    from migrator.runner.syncing.ends import RuleBook, SyncEnds
    from migrator.runner.syncing.examine import Examiner
    from migrator.runner.syncing.merge import Step
    from migrator.runner.syncing.survey import Survey

_TAKEN = frozenset({str(RejectReason.TARGET_TAKEN), str(RejectReason.IDENTITY_TAKEN)})


@dataclass
class Written:
    """What a pass wrote.

    Attributes:
        roles: Users who got or lost access tuples.
        forgotten: Rows of `migrator_identity` whose user is gone on both sides.
        unwritten: Users whom somebody else changed meanwhile, or who were not counted when the
            brakes were asked: the next pass has to look at them.
        obstacles: What could not be done, by legacy key.
    """

    imported: int = 0
    changed: int = 0
    passwords: int = 0
    banned: int = 0
    deleted: int = 0
    roles: int = 0
    forgotten: int = 0
    unwritten: set[str] = field(default_factory=set)
    obstacles: dict[str, list[Obstacle]] = field(default_factory=dict)

    @property
    def users(self) -> int:
        """Count the users at Auther who were written."""
        return self.imported + self.changed

    def count(self, step: Step) -> None:
        """Count a change that was made."""
        self.changed += step.change is not None
        self.roles += step.changes_roles
        if step.kinds:
            self.passwords += Kind.PASSWORD in step.kinds
            self.banned += Kind.BAN in step.kinds
            self.deleted += Kind.DELETE in step.kinds


class Applier:
    """Looks at each user again and writes what is to be written now."""

    def __init__(
        self, ends: SyncEnds, examiner: Examiner, rules: RuleBook, harm: Harm, *, delete: bool
    ) -> None:
        self._ends = ends
        self._examiner = examiner
        self._rules = rules
        self._harm = harm
        self._delete = delete
        self.written = Written()

    def apply(self, survey: Survey, *, before_chunk: Callable[[], None]) -> None:
        """Write everything.

        Args:
            survey: What was found.
            before_chunk: Makes sure that we may still write.
        """
        for chunk in survey.gone.chunks(self._ends.rows):
            before_chunk()
            self._gone(chunk)
        rows = self._ends.ready_rows
        chunks = (survey.steps[at : at + rows] for at in range(0, len(survey.steps), rows))
        with prefetched(map(self._still_followed, chunks)) as ready:
            for steps in ready:
                before_chunk()
                self._write(Examined(steps=steps))
        for chunk in survey.keys.chunks(self._ends.rows):
            before_chunk()
            self._users(chunk)
        # Whoever had the address may have given it up in this very pass.
        found = [*survey.obstacles, *(o for them in self.written.obstacles.values() for o in them)]
        taken = sorted({obstacle.pk for obstacle in found if obstacle.reason in _TAKEN})
        if taken and self.written.users:
            for start in range(0, len(taken), self._ends.rows):
                before_chunk()
                self._users(taken[start : start + self._ends.rows])

    def _users(self, pks: Sequence[str]) -> None:
        users, records = self._ends.legacy.source.users(pks), self._ends.followed.records(pks)
        found = self._examiner.users(users, records)
        for pk in pks:
            self.written.obstacles[pk] = []
        self._note(found.obstacles)
        if found.new:
            self._import(found.new)
        self._write(found)

    def _still_followed(self, steps: Sequence[Step]) -> list[Step]:
        """Leave out who moved to Auther meanwhile; this may run while the steps before are written.

        Whoever moves after that is written as if it had been before: nobody touched the user's rows since.
        """
        records = self._ends.followed.records([step.pk for step in steps])
        return [s for s in steps if s.pk in records and records[s.pk].is_followed]

    def _gone(self, pks: Sequence[str]) -> None:
        back = {user.pk for user in self._ends.legacy.source.users(pks)}
        records = self._ends.followed.records(pks).values()
        still = [record for record in records if record.is_followed and record.pk not in back]
        found = self._examiner.gone(still, delete=self._delete)
        self._note(found.obstacles)
        self._write(found)
        self._ends.followed.forget(found.absent_ids)
        self.written.forgotten += len(found.absent_ids)

    def _import(self, users: list[LegacyUser]) -> None:
        rules, rejects = self._rules.rules_for(users), Collected()
        sides = Sides(self._ends.target, self._ends.legacy.identities, rules.source)
        importer = Importer(sides, rules, rejects)
        importer.write(Batch.of(tuple(users)))
        self._note(rejects.obstacles)
        self.written.imported += importer.counts.tally.imported

    def _write(self, found: Examined) -> None:
        ready = [step for step in found.steps if self._harm.covers(step) and self._may(step)]
        left = {step.pk for step in found.steps} - {step.pk for step in ready}
        changes = [step.change for step in ready if step.change is not None]
        touched = set(self._ends.target.change(changes)) if changes else set()
        done = [step for step in ready if step.auther_id not in touched]
        self._ends.followed.record([s.record for s in done if s.record is not None])
        removed = [s.auther_id for s in done if s.change is not None and s.change.user is None]
        self._ends.followed.forget(removed)
        for step in done:
            self.written.count(step)
        left |= {step.pk for step in ready if step.auther_id in touched}
        self.written.unwritten -= {step.pk for step in done}
        self.written.unwritten |= left

    def _may(self, step: Step) -> bool:
        """Leave out who changed something at Auther since it was looked at, unless shut out."""
        is_settled = step.auther_id not in self._examiner.unsettled
        return is_settled or not step.kinds.isdisjoint({Kind.BAN, Kind.DELETE})

    def _note(self, obstacles: Sequence[Obstacle]) -> None:
        for obstacle in obstacles:
            self.written.obstacles.setdefault(obstacle.pk, []).append(obstacle)


def conflict(pk: str, passes: int) -> Obstacle:
    """Say of a user that every attempt to write was overtaken."""
    return Obstacle(pk, CHANGED_MEANWHILE, f"in {passes} passes in a row")
