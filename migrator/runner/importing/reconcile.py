"""Compares every field of every user and account on both sides."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.auther.interface import Mapped
from migrator.auther.map import to_rows
from migrator.auther.models import tuples_of
from migrator.core.envelope import PREFIX
from migrator.core.users import Reject, RejectReason
from migrator.legacy.identity import Claim
from migrator.runner.importing.differences import Allowed, Difference, compare
from migrator.runner.importing.settle import settle

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.auther.interface import Stored, Target
    from migrator.auther.rules import Rules
    from migrator.legacy.identity import IdentityTable
    from migrator.legacy.interface import LegacySource, Page

SHOWN = 100
PAGE_ROWS = 5000
_CLAIM_COLUMNS = ("user_pk", "auther_id", "pinned_reason", "legacy_hash_fp")


@dataclass
class _Part:
    """A page: one outcome per legacy key."""

    outcomes: dict[str, str] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    allowed: Counter[Allowed] = field(default_factory=Counter)

    def differs(self, *differences: Difference) -> None:
        self.outcomes[differences[0].pk] = "differing"
        self.differences.extend(differences)

    def confirmed_by(self, again: _Part) -> _Part:
        """Keep of a second read what the first one saw too: the rest changed in between."""
        seen = {(d.pk, d.kind) for d in self.differences}
        lasting = [d for d in again.differences if (d.pk, d.kind) in seen]
        differing = {d.pk for d in lasting}
        outcomes = {
            pk: "equal" if outcome == "differing" and pk not in differing else outcome
            for pk, outcome in again.outcomes.items()
            if pk in self.outcomes
        }
        return _Part(outcomes, [d for d in lasting if d.pk in outcomes], again.allowed)


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
        shown: The first of them.
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

    def add(self, differences: list[Difference]) -> None:
        """Count differences, and keep the first ones to show."""
        self.by_kind.update(difference.kind for difference in differences)
        self.shown.extend(differences[: max(0, SHOWN - len(self.shown))])

    def take_in(self, part: _Part) -> None:
        """Count a page."""
        outcomes = Counter(part.outcomes.values())
        self.read += len(part.outcomes)
        self.equal += outcomes["equal"]
        self.left_to_auther += outcomes["left_to_auther"]
        self.rejected += outcomes["rejected"]
        self.differing += outcomes["differing"]
        self.allowed.update(part.allowed)
        self.add(part.differences)

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
    ) -> None:
        self._source = source
        self._target = target
        self._identities = identities
        self._rules = rules
        self._now_ms = now_ms
        self.result = Reconciliation()

    def legacy_pages(self, *, rows: int, advance: Callable[[int], None]) -> None:
        """Compare every legacy user with what Auther holds."""
        before: str | None = None
        for page in self._source.pages(rows=rows):
            part = self._compare(page)
            if part.differences:
                again = self._source.page_after(before, rows=len(page.users))
                part = part.confirmed_by(self._compare(again))
            self.result.take_in(part)
            before = page.last_pk
            advance(len(page.users))

    def orphans(self, *, id_column: str) -> None:
        """Find users of ours whose legacy row is gone and who were not shut out for that."""
        after = ""
        while found := self._identities.orphans(id_column=id_column, limit=PAGE_ROWS, after=after):
            stored = self._target.read([auther_id for _, auther_id in found])
            shut = {user_id for user_id, there in stored.items() if _is_shut_out(there)}
            lost = [(pk, auther_id) for pk, auther_id in found if auther_id not in shut]
            self.result.add([Difference("orphan", pk, auther_id) for pk, auther_id in lost])
            if shut:
                self.result.allowed[Allowed.SHUT_OUT] += len(shut)
            after = found[-1][0]

    def target_pages(self) -> None:
        """Find users at Auther that look like ours and that nobody claims; count the others."""
        for ids in self._target.user_ids(rows=PAGE_ROWS):
            owners = self._identities.known([], ids).owners
            unclaimed = [user_id for user_id in ids if user_id not in owners]
            extras = self._extras(unclaimed) if unclaimed else []
            self.result.foreign += len(unclaimed) - len(extras)
            self.result.add(extras)

    def _extras(self, ids: list[str]) -> list[Difference]:
        return [
            Difference("unclaimed", "", user_id, "holds an envelope but has no identity row")
            for user_id, stored in self._target.read(ids).items()
            if any((a.password or "").startswith(PREFIX) for a in stored.accounts)
        ]

    def _compare(self, page: Page) -> _Part:
        made = [to_rows(user, self._rules) for user in page.users]
        rows = [row for row in made if isinstance(row, Mapped)]
        known = self._identities.known(
            [user.pk for user in page.users], [row.user.id for row in rows]
        )
        settled = settle(rows, self._target.find(rows), known, source=self._rules.source)
        homes = {pk: link.home for pk, link in known.links.items() if link.origin == "import"}
        part = _Part()
        for reject in (*(r for r in made if isinstance(r, Reject)), *settled.rejects):
            _compare_reject(reject, part, is_claimed=reject.pk in homes)
        for row in settled.to_write:
            part.differs(Difference("missing", row.pk, row.user.id))
        self._compare_there(settled.there, homes, part)
        return part

    def _compare_there(self, there: list[Mapped], homes: dict[str, str], part: _Part) -> None:
        ours = [row for row in there if homes.get(row.pk) == "legacy"]
        part.outcomes.update((row.pk, "left_to_auther") for row in there)
        stored = self._target.read([row.user.id for row in ours])
        claims = self._identities.claims([row.pk for row in ours])
        usernames = self._target.find(ours).usernames
        granted = tuples_of(self._target, list(stored)) if any(r.tuples for r in ours) else None
        for row in ours:
            expected = _without_taken_username(row, usernames)
            differences, allowed = compare(expected, stored[row.user.id], now_ms=self._now_ms)
            differences.extend(_compare_claims(expected, claims[row.pk]))
            if granted is not None:
                differences.extend(_roles_missing(expected, granted))
            part.allowed.update(allowed)
            part.outcomes[row.pk] = "equal"
            if differences:
                part.differs(*differences)


def _compare_reject(reject: Reject, part: _Part, *, is_claimed: bool) -> None:
    part.outcomes[reject.pk] = "rejected"
    if reject.reason is RejectReason.LINKED:
        part.outcomes[reject.pk] = "left_to_auther"
    if is_claimed:
        part.differs(Difference("claimed although rejected", reject.pk, "", str(reject.reason)))


def _is_shut_out(stored: Stored) -> bool:
    return bool(stored.user.banned) and stored.user.ban_expires is None


def _without_taken_username(row: Mapped, usernames: dict[str, str]) -> Mapped:
    name = row.user.username
    if name is None or usernames.get(name) in {None, row.user.id}:
        return row
    return row._replace(user=row.user._replace(username=None, display_username=None))


def _roles_missing(row: Mapped, granted: frozenset[str]) -> list[Difference]:
    """Find roles that are not there; whatever else Auther's people granted is theirs."""
    return [
        Difference("role missing", row.pk, row.user.id, f"{made.entity_type}#{made.relation}")
        for made in row.tuples
        if made.id not in granted
    ]


def _compare_claims(row: Mapped, claim: Claim) -> list[Difference]:
    wanted = Claim(row.pk, row.user.id, row.pinned, row.fingerprint)
    return [
        Difference(f"migrator_identity.{column}", row.pk, row.user.id)
        for column, mine, theirs in zip(_CLAIM_COLUMNS, wanted, claim, strict=True)
        if mine != theirs
    ]
