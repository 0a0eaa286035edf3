"""Compares every field of every user and account on both sides."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.core.envelope import PREFIX
from migrator.core.texts import storable
from migrator.legacy.identity import lines_of_plain, read_lines
from migrator.runner.importing.alike import mapped_at
from migrator.runner.importing.comparison import (
    DIFFERING,
    EQUAL,
    LEFT,
    REJECTED,
    Comparison,
    Part,
)
from migrator.runner.importing.differences import Allowed, Difference
from migrator.runner.importing.glance import Glance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migrator.auther.interface import Stored, Target
    from migrator.auther.mapping.rules import Rules
    from migrator.legacy.identity import IdentityTable
    from migrator.legacy.interface import LegacySource
    from migrator.runner.importing.batch import Batch
    from migrator.runner.importing.glance import Looked

KEPT = 1000
PAGE_ROWS = 5000


@dataclass
class Reconciliation:
    """What was compared and what differs.

    Attributes:
        read: Legacy users read.
        equal: Imported users with every field as it has to be.
        left_to_auther: Users who moved to Auther or were linked at a login: Auther decides.
        rejected: Users that are rightly not there.
        differing: Users with a difference.
        foreign: Users at Auther that are not ours.
        allowed: Changes that Auther makes by itself.
        by_kind: Differences by kind.
        shown: The first of them, at most `KEPT`.
        roles_unread: Roles become access tuples, and those could not be read.
    """

    read: int = 0
    equal: int = 0
    left_to_auther: int = 0
    rejected: int = 0
    differing: int = 0
    foreign: int = 0
    allowed: Counter[Allowed] = field(default_factory=Counter)
    by_kind: Counter[str] = field(default_factory=Counter)
    shown: list[Difference] = field(default_factory=list)
    roles_unread: bool = False

    def add(self, differences: Sequence[Difference]) -> None:
        """Count differences, and keep the first ones to show."""
        self.by_kind.update(difference.kind for difference in differences)
        self.shown.extend(differences[: max(0, KEPT - len(self.shown))])

    def take_in(self, part: Part) -> None:
        """Count users; their differences are added apart."""
        outcomes = Counter(part.outcomes.values())
        self.read += len(part.outcomes) + part.alike
        self.equal += outcomes[EQUAL] + part.alike
        self.left_to_auther += outcomes[LEFT]
        self.rejected += outcomes[REJECTED]
        self.differing += outcomes[DIFFERING]
        for allowed in part.allowed.values():
            self.allowed.update(allowed)

    def adds_up(self) -> bool:
        """Tell whether every user read has one outcome."""
        outcomes = self.equal + self.left_to_auther + self.rejected + self.differing
        return self.read == outcomes

    def holds(self) -> bool:
        """Tell that nothing differs and the counts add up."""
        return not self.by_kind and self.adds_up()


class Reconciler:
    """Streams both sides; what differs is read a second time before it counts."""

    def __init__(
        self,
        source: LegacySource,
        target: Target,
        identities: IdentityTable,
        rules: Rules,
        *,
        now_ms: int,
        write: Callable[[Difference], None] = lambda _: None,
    ) -> None:
        self._source = source
        self._target = target
        self._glance = Glance(target, identities)
        self._identities = identities
        self._comparison = Comparison(target, identities, rules, now_ms=now_ms)
        self._write = write
        self._users_before = target.count_users()
        self._there = 0
        self.result = Reconciliation()

    def look(self, batch: Batch) -> Looked:
        """Read what is known of a page; this may run while the page before is compared.

        Raises:
            DependencyError: The application's database failed.
        """
        return self._glance.look(batch)

    def compare(self, looked: Looked) -> None:
        """Compare a page of legacy users with what Auther holds.

        Raises:
            DependencyError: A database failed.
        """
        part = self._compare(looked)
        self._there += part.there
        if part.differences:
            part = part.confirmed_by(self._again(part.suspects()))
        self.result.take_in(part)
        self.result.roles_unread = self._comparison.roles_unread
        self._add(part.differences)

    def _compare(self, looked: Looked) -> Part:
        batch = looked.batch
        plain = len(batch.columns.ids)
        places = self._suspects(looked) if plain else []
        made = [*mapped_at(batch, places), *self._comparison.map(batch.users)]
        part = self._comparison.of(made, read_lines(_others(looked, places)) if made else {})
        part.alike = plain - len(places)
        part.there += part.alike
        return part

    def _suspects(self, looked: Looked) -> list[int]:
        """Give the places of the plain users whom a look at whole rows does not clear."""
        ids = looked.batch.columns.ids
        return sorted({*self._glance.suspects(looked), *self._comparison.with_roles(ids)})

    def _again(self, pks: list[str]) -> Part:
        made = self._comparison.map(self._source.users(pks))
        return self._comparison.of(made, read_lines(self._identities.lines(pks)))

    def _add(self, differences: Sequence[Difference]) -> None:
        self.result.add(differences)
        for difference in differences:
            self._write(difference)

    def orphans(self, *, id_column: str) -> None:
        """Find users of ours whose legacy row is gone and who were not shut out for that."""
        after = ""
        while found := self._identities.orphans(id_column=id_column, limit=PAGE_ROWS, after=after):
            lost = self._lost(found)
            if lost:
                limit = len(found)
                again = self._identities.orphans(id_column=id_column, limit=limit, after=after)
                seen = frozenset(self._lost(again))
                lost = [one for one in lost if one in seen]
            self._add([Difference("orphan", pk, auther_id) for pk, auther_id in lost])
            if len(found) > len(lost):
                self.result.allowed[Allowed.SHUT_OUT] += len(found) - len(lost)
            after = found[-1][0]

    def _lost(self, orphans: list[tuple[str, str]]) -> list[tuple[str, str]]:
        stored = self._target.read([auther_id for _, auther_id in orphans])
        shut = {user_id for user_id, there in stored.items() if _is_shut_out(there)}
        return [(pk, auther_id) for pk, auther_id in orphans if auther_id not in shut]

    def target_pages(self) -> None:
        """Find users at Auther that look like ours and that nobody claims; count the others.

        Where there were as many users, before and after, as the legacy users that were found at
        Auther and are ours, there is nobody else.
        """
        if self._users_before == self._there == self._target.count_users():
            return
        for ids in self._target.user_ids(rows=PAGE_ROWS):
            unclaimed = self._unclaimed(ids)
            extras = self._extras(unclaimed)
            lasting = frozenset(self._extras(self._unclaimed(extras)))
            extras = [user_id for user_id in extras if user_id in lasting]
            self.result.foreign += len(unclaimed) - len(extras)
            detail = "holds an envelope but has no identity row"
            self._add([Difference("unclaimed", "", user_id, detail) for user_id in extras])

    def _unclaimed(self, ids: Sequence[str]) -> list[str]:
        # What PostgreSQL cannot hold is in none of its tables.
        askable = list(filter(storable, ids))
        owners = self._identities.known([], askable).owners if askable else {}
        return [user_id for user_id in ids if user_id not in owners]

    def _extras(self, ids: Sequence[str]) -> list[str]:
        return [
            user_id
            for user_id, stored in (self._target.read(ids) if ids else {}).items()
            if any((a.password or "").startswith(PREFIX) for a in stored.accounts)
        ]


def _others(looked: Looked, places: Sequence[int]) -> frozenset[str]:
    """Give the lines of all but the plain users of a page, with those at some places."""
    lines = lines_of_plain(looked.batch.claims)
    return looked.held.difference(lines) | looked.held.intersection(lines[at] for at in places)


def _is_shut_out(stored: Stored) -> bool:
    return bool(stored.user.banned) and stored.user.ban_expires is None
