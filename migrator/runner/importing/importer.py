"""Brings users over page by page; each page can be repeated any number of times."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.auther.interface import Found, Mapped, Notes, TargetChangedError
from migrator.auther.mapping.map import to_rows
from migrator.auther.ways.sql_target import SqlTarget
from migrator.core.errors import DependencyError
from migrator.core.users import Reject, Tally
from migrator.legacy.identity import Claim, ClaimedMeanwhileError, IdentityTable, Known
from migrator.runner.importing import linking
from migrator.runner.importing.decided import Entries
from migrator.runner.importing.settle import Settled, settle

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migrator.auther.interface import Target
    from migrator.auther.mapping.rules import Rules
    from migrator.core.users import LegacyUser
    from migrator.runner.importing.batch import Batch
    from migrator.runner.importing.rejects import Rejects

ATTEMPTS = 5


@dataclass
class Sides:
    """Both ends of the import.

    Attributes:
        target: None while there is no Auther database yet (a plan).
        identities: None while the table does not exist yet (a plan).
        untouched: Nothing is on either side but what this run wrote, so there is nothing to look for.
    """

    target: Target | None
    identities: IdentityTable | None
    source: str
    untouched: bool = False

    def unseen(self) -> SqlTarget | None:
        """Give the target when pages may be written to it without looking what is there."""
        is_ready = self.untouched and self.identities is not None
        return self.target if is_ready and isinstance(self.target, SqlTarget) else None

    def look(self, rows: Sequence[Mapped]) -> tuple[Found, Known]:
        """See what is there of a page on both sides."""
        if self.untouched:
            return Found(), Known()
        found = self.target.find(rows) if self.target else Found()
        known = Known()
        if self.identities:
            known = self.identities.known([r.pk for r in rows], [r.user.id for r in rows])
        return found, known


@dataclass
class Counts:
    """What became of all users so far.

    Attributes:
        roles: Users by what their roles became, `entity type#relation`.
        unknown_roles: Users by role that becomes nothing and is not ignored.
    """

    tally: Tally = field(default_factory=Tally)
    notes: Notes = field(default_factory=Notes)
    roles: Counter[str] = field(default_factory=Counter)
    unknown_roles: Counter[str] = field(default_factory=Counter)


class Importer:
    """Gives every user of every page exactly one outcome and counts it."""

    def __init__(self, sides: Sides, rules: Rules, rejects: Rejects) -> None:
        self._sides = sides
        self._rules = rules
        self._rejects = rejects
        self._entries = Entries(rules)
        self.counts = Counts()

    def unmatched(self) -> tuple[str, ...]:
        """Name the entries of the resolution file that fit nobody."""
        return self._entries.unmatched(self._rejects.acknowledged)

    def looks_first(self) -> bool:
        """Tell whether each page is compared with what is there on both sides before it is written."""
        return self._sides.unseen() is None

    def plan(self, batch: Batch) -> None:
        """Count what would become of a page; writes nothing."""
        rows, rejects = _parted(batch.in_order(batch.mapped(), self._map(batch.users)))
        found, known = self._sides.look(rows)
        settled = settle(rows, found, known, source=self._sides.source)
        self._count(batch, settled, self._link(self._sort_out(rejects, settled), settled))

    def write(self, batch: Batch) -> None:
        """Write a page: first the record of what is ours, then the users, each in one transaction.

        If the process dies in between, the next run finds claims without users and writes those.

        Raises:
            DependencyError: A database failed, or Auther changed under every attempt.
        """
        made = self._map(batch.users)
        rows, rejects = _parted(made)
        settled = self._written_unseen(batch, rows)
        if settled is None:
            rows, rejects = _parted(batch.in_order(batch.mapped(), made))
            settled = self._write(rows)
        rejects = self._sort_out(rejects, settled)
        if settled.stale_ids and self._sides.identities:
            self._sides.identities.release(settled.stale_ids)
        rejects = self._link(rejects, settled, writing=True)
        self._count(batch, settled, rejects)

    def _map(self, users: Sequence[LegacyUser]) -> list[Mapped | Reject]:
        for user in users if self._rules.resolutions else ():
            self._entries.see(user)
        for user in users:
            if user.roles:
                self.counts.unknown_roles.update(self._rules.grants.unknown(user.roles))
        return [to_rows(user, self._rules) for user in users]

    def _sort_out(self, rejects: list[Reject], settled: Settled) -> list[Reject]:
        """Take out those whom an earlier run wrote before their row changed; drop claims of others."""
        sides = self._sides
        if not rejects or sides.identities is None or sides.untouched:
            return rejects
        links = sides.identities.known([reject.pk for reject in rejects], []).links
        if not links:
            return rejects
        ids = [link.auther_id for link in links.values()]
        there = sides.target.read(ids) if sides.target else {}
        settled.stale_ids.extend(user_id for user_id in ids if user_id not in there)
        kept = {pk for pk, link in links.items() if link.auther_id in there}
        settled.kept += len(kept)
        return [reject for reject in rejects if reject.pk not in kept]

    def _link(
        self, rejects: list[Reject], settled: Settled, *, writing: bool = False
    ) -> list[Reject]:
        """Write down whom a person linked; give the rejects that are left."""
        wanted, others = linking.split(rejects)
        if not wanted:
            return others
        sides = self._sides
        done = linking.sort_out(wanted, sides.target, sides.identities)
        if writing and done.new and sides.identities:
            sides.identities.link(done.new)
        settled.linked, settled.kept = len(done.new), settled.kept + done.there
        return [*others, *done.rejects]

    def _written_unseen(self, batch: Batch, others: list[Mapped]) -> Settled | None:
        """Write a page before anybody looked whether something of it is there; None when it may be."""
        target, identities = self._sides.unseen(), self._sides.identities
        if target is None or identities is None:
            return None
        settled = settle(others, Found(), Known(), source=self._sides.source)
        try:
            identities.claim(_claims(settled.new), plain=b"" if batch.claimed else batch.claims)
            _write_whole(target, batch, settled.new)
        except (TargetChangedError, ClaimedMeanwhileError):
            self._sides.untouched = False
            return None
        self.counts.tally.imported += len(batch.columns.ids)
        return settled

    def _write(self, rows: list[Mapped]) -> Settled:
        for _ in range(ATTEMPTS):
            found, known = self._sides.look(rows)
            settled = settle(rows, found, known, source=self._sides.source)
            if self._written(settled):
                return settled
        raise DependencyError(
            "users are created at Auther faster than a page can be written",
            hint="stop sign-ups at Auther for a moment, then: migrator import run",
        )

    def _written(self, settled: Settled) -> bool:
        target, identities = self._sides.target, self._sides.identities
        if not settled.to_write or target is None or identities is None:
            return True
        try:
            identities.claim(_claims(settled.new), renewed=_claims(settled.renewed))
            target.write(settled.to_write)
        except (TargetChangedError, ClaimedMeanwhileError):
            self._sides.untouched = False
            return False
        return True

    def _count(self, batch: Batch, settled: Settled, rejects: list[Reject]) -> None:
        tally = self.counts.tally
        tally.read += len(batch)
        tally.imported += len(settled.to_write)
        tally.linked += settled.linked
        tally.already_there += len(settled.there) + settled.kept
        for row in (*settled.to_write, *settled.there):
            self.counts.notes.add(row)
            if row.tuples:
                self.counts.roles.update({f"{t.entity_type}#{t.relation}" for t in row.tuples})
        for reject in _in_key_order([*rejects, *settled.rejects], batch):
            tally.rejected[reject.reason] += 1
            self._rejects.add(reject)


def _parted(made: Iterable[Mapped | Reject]) -> tuple[list[Mapped], list[Reject]]:
    rows: list[Mapped] = []
    rejects: list[Reject] = []
    for one in made:
        (rows if isinstance(one, Mapped) else rejects).append(one)  # type: ignore[arg-type]
    return rows, rejects


def _write_whole(target: SqlTarget, batch: Batch, others: list[Mapped]) -> None:
    target.write_rows(
        [row.user for row in others],
        [account for row in others for account in row.accounts],
        tuples=[found for row in others for found in row.tuples],
        without_account=[row.user for row in others if not row.accounts],
        alike=batch.sample.both(batch.columns) if batch.sample else None,
    )


def _in_key_order(rejects: list[Reject], batch: Batch) -> list[Reject]:
    if not rejects:
        return []
    position = {pk: index for index, pk in enumerate(batch.pks())}
    return sorted(rejects, key=lambda reject: position[reject.pk])


def _claims(rows: Iterable[Mapped]) -> list[Claim]:
    return [Claim(row.pk, row.user.id, row.pinned, row.fingerprint) for row in rows]
