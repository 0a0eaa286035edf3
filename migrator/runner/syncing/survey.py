"""Finds everybody about whom something has to be done, before anything is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from migrator.legacy.identity import keys_of_plain
from migrator.runner.importing.batch import Batch
from migrator.runner.importing.glance import Glance
from migrator.runner.importing.importer import Importer, Sides
from migrator.runner.importing.prefetch import prefetched
from migrator.runner.syncing.brake import Harm
from migrator.runner.syncing.collected import Collected
from migrator.runner.syncing.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import ExitStack
    from datetime import datetime

    from migrator.core.plain import PlainUsers
    from migrator.core.users import LegacyUser
    from migrator.legacy.followed import Record
    from migrator.runner.importing.glance import Looked
    from migrator.runner.syncing.ends import RuleBook, SyncEnds
    from migrator.runner.syncing.examine import Examined, Examiner
    from migrator.runner.syncing.mapping import Obstacle
    from migrator.runner.syncing.merge import Step

# What a pass over changed rows finds is written as it was found, up to so many users; what is more
# waits as keys, and so does what a long look at all users finds: those are looked at again.
_KEPT_STEPS = 10_000


@dataclass
class Survey:
    """What a pass is about to do.

    Attributes:
        keys: Users who are there.
        gone: Users whose legacy row is gone.
        steps: What has to be done about users who are in neither.
        obstacles: What cannot be done about users who are in neither.
        looked: Users looked at.
        equal: Users who are as they have to be.
        left: Users about whom Auther decides.
        new: Users to be imported.
        roles_unread: Roles become access tuples, and those cannot be read.
    """

    keys: Spool
    gone: Spool
    harm: Harm = field(default_factory=Harm)
    steps: list[Step] = field(default_factory=list)
    obstacles: list[Obstacle] = field(default_factory=list)
    looked: int = 0
    equal: int = 0
    left: int = 0
    new: int = 0
    roles_unread: bool = False

    @property
    def waiting(self) -> int:
        """Count the users about whom something has to be done."""
        return self.keys.count + self.gone.count + len(self.steps)


class _Page(NamedTuple):
    """Some users; `records` say by key what `migrator_identity` says of them."""

    plain: PlainUsers
    users: tuple[LegacyUser, ...]
    pks: list[str]
    records: Mapping[str, Record]


class Surveyor:
    """Looks at changed users, or at all; writes nothing. `seen` is told their keys."""

    def __init__(
        self,
        ends: SyncEnds,
        examiner: Examiner,
        rules: RuleBook,
        spools: ExitStack,
        *,
        delete: bool,
        seen: Callable[[list[str]], None],
    ) -> None:
        self._ends = ends
        self._examiner = examiner
        self._rules = rules
        self._delete = delete
        self._seen = seen
        self.found = Survey(spools.enter_context(Spool()), spools.enter_context(Spool()))

    def changed(self, since: datetime, retried: Sequence[str]) -> None:
        """Look at the users who changed since then, and at some more.

        The application's database is asked for the next page while one is compared.
        """
        with prefetched(self._pages(since, retried)) as pages:
            for page in pages:
                self._page(page)

    def _pages(self, since: datetime, retried: Sequence[str]) -> Iterator[_Page]:
        rows, left = self._ends.rows, set(retried)
        for plain, users in self._ends.changes.parted(since, rows=rows):
            page = self._with_records(plain, users)
            left.difference_update(page.pks)
            yield page
        again = sorted(left)
        for start in range(0, len(again), rows):
            yield self._with_records(*self._ends.legacy.source.parted(again[start : start + rows]))

    def _with_records(self, plain: PlainUsers, users: tuple[LegacyUser, ...]) -> _Page:
        pks = [*plain.pks, *(user.pk for user in users)]
        return _Page(plain, users, pks, self._ends.followed.records(pks) if pks else {})

    def _page(self, page: _Page) -> None:
        users = page.users
        if page.plain.pks:
            found, left = self._examiner.plain(page.plain, page.records)
            self._seen(page.plain.pks)
            self._wait(found, looked=len(page.plain.pks) - len(left), keeps=True)
            users += self._ends.legacy.source.users(left) if left else ()
        if users:
            self._users(users, page.records, keeps=True)

    def all(self, pages: Iterator[Batch], *, rows: int, advance: Callable[[int], None]) -> None:
        """Look at everybody, on both sides.

        Args:
            pages: All users.
            rows: Users who are gone, so many at a time.
            advance: Is told how many users were looked at.
        """
        glance = Glance(self._ends.target, self._ends.legacy.identities)
        with prefetched(map(glance.look, pages)) as looked:
            for page in looked:
                users = self._not_cleared(page, glance)
                self._users(users, self._ends.followed.records([user.pk for user in users]))
                advance(len(page.batch))
        for records in self._ends.followed.vanished(rows=rows):
            found = self._examiner.gone(records, delete=self._delete)
            self._take_in(found, found.obstacles)
            absent = set(found.absent_ids)
            self.found.gone.add(step.pk for step in found.steps)
            self.found.gone.add(r.pk for r in records if r.auther_id in absent)

    def _not_cleared(self, page: Looked, glance: Glance) -> tuple[LegacyUser, ...]:
        """Count those who are exactly as they have to be; give all others as they are now."""
        ids, pks = page.batch.columns.ids, keys_of_plain(page.batch.claims)
        if self._rules.rules_for(()).grants.by_role:
            # Access tuples are no part of a row.
            places = [*range(len(ids))]
        else:
            unsettled = (at for at, one in enumerate(ids) if one in self._examiner.unsettled)
            places = sorted({*glance.suspects(page), *unsettled})
        self.found.looked += len(ids) - len(places)
        self.found.equal += len(ids) - len(places)
        suspects = self._ends.legacy.source.users([pks[at] for at in places]) if places else ()
        return (*suspects, *page.batch.users)

    def _users(
        self, users: Sequence[LegacyUser], records: Mapping[str, Record], *, keeps: bool = False
    ) -> None:
        self._seen([user.pk for user in users])
        self._wait(self._examiner.users(users, records), looked=len(users), keeps=keeps)

    def _wait(self, found: Examined, *, looked: int, keeps: bool) -> None:
        """Let what was found wait for the brakes; `keeps` steps as they are, up to a number."""
        obstacles = list(found.obstacles)
        if found.new:
            obstacles += self._plan(found)
        pks = [user.pk for user in found.new]
        if keeps and len(self.found.steps) + len(found.steps) <= _KEPT_STEPS:
            self.found.steps += found.steps
        else:
            pks += [step.pk for step in found.steps]
        waiting = set(pks)
        self._take_in(found, [o for o in obstacles if o.pk not in waiting])
        self.found.looked += looked
        self.found.new += len(found.new)
        self.found.keys.add(pks)

    def _plan(self, found: Examined) -> list[Obstacle]:
        """Leave only those who can be imported; say why the others cannot."""
        rules, rejects = self._rules.rules_for(found.new), Collected()
        sides = Sides(self._ends.target, self._ends.legacy.identities, rules.source)
        Importer(sides, rules, rejects).plan(Batch.of(tuple(found.new)))
        refused = {obstacle.pk for obstacle in rejects.obstacles}
        found.new = [user for user in found.new if user.pk not in refused]
        return rejects.obstacles

    def _take_in(self, found: Examined, obstacles: Sequence[Obstacle]) -> None:
        self.found.harm.add(found.steps)
        self.found.obstacles.extend(obstacles)
        self.found.equal += found.equal
        self.found.left += found.left
        self.found.roles_unread |= found.roles_unread
