"""Turns roles of the application into access tuples at Auther. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from migrator.auther.interface import TupleRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from migrator.config.people import Grant, GrantsSection

ALL = "*"
THING = "{id}"
_SUBJECT = "user"
_ID_DIGITS = 40
_SECOND_MS = 1000


class Revision(NamedTuple):
    """What makes a user's access tuples what they have to be."""

    missing: tuple[TupleRow, ...] = ()
    extra: tuple[TupleRow, ...] = ()


@dataclass(frozen=True)
class Grants:
    """What each role becomes.

    Attributes:
        by_role: Grants by the role's name.
        ignored: Roles that are left behind on purpose.
    """

    by_role: Mapping[str, tuple[Grant, ...]] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: GrantsSection) -> Grants:
        """Take over `[import.roles]`."""
        by_role: dict[str, tuple[Grant, ...]] = {}
        for grant in settings.grants:
            by_role[grant.role] = (*by_role.get(grant.role, ()), grant)
        return cls(by_role, frozenset(settings.ignore))

    def relations(self) -> list[tuple[str, str]]:
        """Give each (entity type, relation) that is going to be written."""
        found = {(g.entity_type, g.relation) for grants in self.by_role.values() for g in grants}
        return sorted(found)

    def tuples(self, roles: Iterable[str], *, user_id: str, at_ms: int) -> tuple[TupleRow, ...]:
        """Give a user's access tuples, each once, in a fixed order.

        Args:
            roles: As read: `editor`, `editor:Forum` or `editor:Forum:7`.
            user_id: At Auther.
            at_ms: The time of the grant; the table holds seconds.
        """
        made = {}
        for role in roles:
            for grant in self._found(role):
                row = _row(grant, _entity_id(grant, role), user_id, at_ms // _SECOND_MS)
                made[row.id] = row
        return tuple(made[key] for key in sorted(made))

    def governs(self, row: TupleRow) -> bool:
        """Tell that an access tuple is one that some role of its user would become.

        While the user is at home in the application, its roles decide about such tuples, whoever
        wrote them; they decide about nothing else.
        """
        if (row.subject_type, row.subject_relation, row.condition) != (_SUBJECT, None, None):
            return False
        if row.id != tuple_id(row.entity_type, row.entity_id, row.relation, row.subject_id):
            return False
        return any(
            grant.entity_type == row.entity_type
            and grant.relation == row.relation
            and _may_be(grant, row.entity_id)
            for grants in self.by_role.values()
            for grant in grants
        )

    def revision(self, wanted: Iterable[TupleRow], held: Iterable[TupleRow]) -> Revision:
        """Compare a user's access tuples with those that there have to be."""
        there = {row.id: row for row in held}
        due = {row.id: row for row in wanted}
        missing = tuple(row for row in due.values() if row.id not in there)
        extra = tuple(r for r in there.values() if r.id not in due and self.governs(r))
        return Revision(missing, extra)

    def unknown(self, roles: Iterable[str]) -> list[str]:
        """Give the roles that become nothing and are not ignored, without the thing's id."""
        return [_kind(role) for role in roles if not self._found(role) and not self._ignores(role)]

    def _found(self, role: str) -> tuple[Grant, ...]:
        return self.by_role.get(role) or self.by_role.get(_kind(role), ())

    def _ignores(self, role: str) -> bool:
        return role in self.ignored or _kind(role) in self.ignored


def tuple_id(entity_type: str, entity_id: str, relation: str, subject_id: str) -> str:
    """Derive the id that Auther itself gives to a user's tuple."""
    # The last part is the subject's relation, which only groups have.
    text = f"{entity_type}|{entity_id}|{relation}|{_SUBJECT}|{subject_id}|"
    return f"tpl_{sha256(text.encode()).hexdigest()[:_ID_DIGITS]}"


def _kind(role: str) -> str:
    """Leave the thing out of `editor:Forum:7`."""
    return ":".join(role.split(":", 2)[:2])


def _may_be(grant: Grant, entity_id: str) -> bool:
    before, thing, after = grant.entity_id.partition(THING)
    if not thing:
        return entity_id == before
    is_filled = entity_id.startswith(before) and entity_id.endswith(after)
    return entity_id == ALL or (is_filled and len(entity_id) > len(before) + len(after))


def _entity_id(grant: Grant, role: str) -> str:
    if THING not in grant.entity_id:
        return grant.entity_id
    thing = role.split(":", 2)[2:]
    return grant.entity_id.replace(THING, thing[0]) if thing else ALL


def _row(grant: Grant, entity_id: str, user_id: str, at_s: int) -> TupleRow:
    return TupleRow(
        id=tuple_id(grant.entity_type, entity_id, grant.relation, user_id),
        entity_type=grant.entity_type,
        entity_type_id=None,
        entity_id=entity_id,
        relation=grant.relation,
        subject_type=_SUBJECT,
        subject_id=user_id,
        subject_relation=None,
        condition=None,
        created_at=at_s,
        updated_at=at_s,
    )
