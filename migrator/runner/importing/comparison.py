"""Compares users field by field, whatever there is about them, with what both sides hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from migrator.auther.interface import Found, Mapped
from migrator.auther.mapping.map import to_rows
from migrator.core.users import Reject, RejectReason
from migrator.legacy.identity import Claim, Held, Known, Link
from migrator.runner.importing.differences import Allowed, Difference, compare
from migrator.runner.importing.settle import settle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from migrator.auther.interface import Stored, Target, TupleRow
    from migrator.auther.mapping.rules import Rules
    from migrator.core.users import LegacyUser
    from migrator.legacy.identity import IdentityTable

EQUAL, LEFT, REJECTED, DIFFERING = "equal", "left_to_auther", "rejected", "differing"
_CLAIM_COLUMNS = ("user_pk", "auther_id", "pinned_reason", "legacy_hash_fp")


@dataclass
class Part:
    """What was found out about some users.

    Attributes:
        outcomes: One per legacy key.
        allowed: What Auther or the sync changed, by legacy key.
        there: Users at Auther who are known to be ours, those without an outcome here included.
        alike: Users without an outcome here, who are equal.
    """

    outcomes: dict[str, str] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    allowed: dict[str, list[Allowed]] = field(default_factory=dict)
    there: int = 0
    alike: int = 0

    def differs(self, *differences: Difference) -> None:
        """Say of one user what differs."""
        self.outcomes[differences[0].pk] = DIFFERING
        self.differences.extend(differences)

    def suspects(self) -> list[str]:
        """Give the keys of those who differ."""
        return list(dict.fromkeys(difference.pk for difference in self.differences))

    def confirmed_by(self, again: Part) -> Part:
        """Keep what a second read of those who differ saw too: the rest changed in between.

        Users who are gone meanwhile are left out.
        """
        suspects = frozenset(self.suspects())
        seen = {(d.pk, d.kind) for d in self.differences}
        lasting = [d for d in again.differences if (d.pk, d.kind) in seen]
        differing = {d.pk for d in lasting}
        second = {
            pk: EQUAL if outcome == DIFFERING and pk not in differing else outcome
            for pk, outcome in again.outcomes.items()
        }
        return Part(
            {pk: o for pk, o in self.outcomes.items() if pk not in suspects} | second,
            lasting,
            {pk: a for pk, a in self.allowed.items() if pk not in suspects} | again.allowed,
            self.there,
            self.alike,
        )


class _Sorted(NamedTuple):
    """Mapped users by what `migrator_identity` says of them.

    Attributes:
        ours: Imported, and still at home in the application.
        elsewhere: Moved, or linked to somebody: Auther decides.
        unknown: All others.
    """

    ours: list[Mapped]
    elsewhere: list[Mapped]
    unknown: list[Mapped]


class Comparison:
    """Gives every user one outcome.

    Attributes:
        roles_unread: Roles become access tuples, and those could not be read.
    """

    def __init__(
        self, target: Target, identities: IdentityTable, rules: Rules, *, now_ms: int
    ) -> None:
        self._target = target
        self._identities = identities
        self._rules = rules
        self._now_ms = now_ms
        self.roles_unread = False

    def map(self, users: Iterable[LegacyUser]) -> list[Mapped | Reject]:
        """Give what the import would make of users today."""
        return [to_rows(user, self._rules) for user in users]

    def of(self, made: Sequence[Mapped | Reject], held: Mapping[str, Held]) -> Part:
        """Compare.

        Args:
            made: In key order.
            held: What `migrator_identity` holds of them.

        Raises:
            DependencyError: A database failed.
        """
        part = Part()
        by_state = _by_state([row for row in made if isinstance(row, Mapped)], held)
        for reject in made:
            if isinstance(reject, Reject):
                _compare_reject(reject, part, held)
        part.outcomes.update((row.pk, LEFT) for row in by_state.elsewhere)
        stored = self._target.read([row.user.id for row in by_state.ours])
        part.there = sum(held[row.pk].claim.auther_id in stored for row in by_state.ours)
        absent = [row for row in by_state.ours if row.user.id not in stored]
        self._compare_absent([*by_state.unknown, *absent], held, part)
        there = [row for row in by_state.ours if row.user.id in stored]
        self._compare_there(there, held, stored, part)
        return part

    def _compare_absent(self, rows: list[Mapped], held: Mapping[str, Held], part: Part) -> None:
        """Tell those who are missing from those who rightly are not there."""
        if not rows:
            return
        owners = self._identities.known([], [row.user.id for row in rows]).owners
        links = {row.pk: _link(held[row.pk]) for row in rows if row.pk in held}
        known = Known(links, owners)
        settled = settle(rows, self._target.find(rows), known, source=self._rules.source)
        for reject in settled.rejects:
            _compare_reject(reject, part, held)
        for row in (*settled.to_write, *settled.there):
            part.differs(Difference("missing", row.pk, row.user.id))
        for row in rows:
            self._compare_owner(row, known, part)

    def _compare_owner(self, row: Mapped, known: Known, part: Part) -> None:
        """Find a claim that was changed: a derived id belongs to one key of one model alone."""
        source, pk = known.owners.get(row.user.id, (self._rules.source, row.pk))
        mine = known.links.get(row.pk)
        if mine is not None and mine.auther_id != row.user.id:
            part.differs(Difference("migrator_identity.auther_id", row.pk, row.user.id))
        elif self._rules.derived_ids and source != self._rules.source:
            part.differs(Difference("migrator_identity.source", row.pk, row.user.id))
        elif self._rules.derived_ids and pk != row.pk:
            part.differs(Difference("migrator_identity.user_pk", row.pk, row.user.id))

    def _compare_there(
        self,
        rows: list[Mapped],
        held: Mapping[str, Held],
        stored: Mapping[str, Stored],
        part: Part,
    ) -> None:
        usernames = self._names_taken(rows, stored)
        granted = self._granted(list(stored))
        for row in rows:
            expected = _without_taken_username(row, usernames)
            differences, allowed = compare(expected, stored[row.user.id], now_ms=self._now_ms)
            differences.extend(_compare_claims(expected, held[row.pk].claim))
            if granted is not None:
                differences.extend(self._compare_roles(expected, granted.get(row.user.id, ())))
            part.outcomes[row.pk] = EQUAL
            if allowed:
                part.allowed[row.pk] = allowed
            if differences:
                part.differs(*differences)

    def with_roles(self, ids: Sequence[str]) -> list[int]:
        """Give the places of the users, ids by Auther, who have access tuples that roles decide about."""
        granted = self._granted(ids) if ids else None
        if not granted:
            return []
        governs = self._rules.grants.governs
        return [at for at, owner in enumerate(ids) if any(map(governs, granted.get(owner, ())))]

    def _granted(self, ids: Sequence[str]) -> dict[str, tuple[TupleRow, ...]] | None:
        """Read access tuples; None when roles become nothing, or they cannot be read."""
        if not self._rules.grants.by_role:
            return None
        found = self._target.tuples(ids)
        self.roles_unread |= found is None
        return found

    def _compare_roles(self, row: Mapped, held: Sequence[TupleRow]) -> list[Difference]:
        """Find roles that are not there, and those of which the application knows nothing."""
        found = self._rules.grants.revision(row.tuples, held)
        return [
            Difference(kind, row.pk, row.user.id, f"{one.entity_type}#{one.relation}")
            for kind, them in (("role missing", found.missing), ("role extra", found.extra))
            for one in them
        ]

    def _names_taken(self, rows: list[Mapped], stored: Mapping[str, Stored]) -> dict[str, str]:
        """Look who has the user names of those who do not have their own."""
        without = [
            row._replace(accounts=())
            for row in rows
            if row.user.username != stored[row.user.id].user.username
        ]
        return (self._target.find(without) if without else Found()).usernames


def _by_state(rows: Iterable[Mapped], held: Mapping[str, Held]) -> _Sorted:
    found = _Sorted([], [], [])
    for row in rows:
        one = held.get(row.pk)
        if one is None:
            found.unknown.append(row)
        elif one.origin == "import" and one.home == "legacy":
            found.ours.append(row)
        else:
            found.elsewhere.append(row)
    return found


def _link(held: Held) -> Link:
    return Link(held.claim.auther_id, held.home, held.origin)


def _compare_reject(reject: Reject, part: Part, held: Mapping[str, Held]) -> None:
    part.outcomes[reject.pk] = LEFT if reject.reason is RejectReason.LINKED else REJECTED
    if reject.pk in held and held[reject.pk].origin == "import":
        detail = str(reject.reason)
        part.differs(Difference("claimed although rejected", reject.pk, "", detail))


def _without_taken_username(row: Mapped, usernames: Mapping[str, str]) -> Mapped:
    name = row.user.username
    if name is None or usernames.get(name) in {None, row.user.id}:
        return row
    return row._replace(user=row.user._replace(username=None, display_username=None))


def _compare_claims(row: Mapped, claim: Claim) -> list[Difference]:
    wanted = Claim(row.pk, row.user.id, row.pinned, row.fingerprint)
    return [
        Difference(f"migrator_identity.{column}", row.pk, row.user.id)
        for column, mine, theirs in zip(_CLAIM_COLUMNS, wanted, claim, strict=True)
        if mine != theirs
    ]
