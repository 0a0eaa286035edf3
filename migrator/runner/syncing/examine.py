"""Says of a page of legacy users what has to be done about each; writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from migrator.auther.interface import CREDENTIAL, Found, Mapped, Stored
from migrator.auther.mapping.map import BANNED_DELETED
from migrator.auther.mapping.plain import PlainMapper
from migrator.core.envelope import PREFIX
from migrator.core.users import LegacyUser, Reject, RejectReason
from migrator.legacy.plain import pick_columns, pick_read
from migrator.runner.syncing.mapping import CHANGED_MEANWHILE, PRIVILEGED, Obstacle, fit, map_known
from migrator.runner.syncing.merge import (
    BANNED_GONE,
    NO_ROLES,
    Step,
    banned,
    deleted,
    is_ours,
    merge,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migrator.auther.interface import AccountRow, Target, TupleRow
    from migrator.auther.mapping.rules import Rules
    from migrator.core.plain import PlainUsers
    from migrator.legacy.followed import Record
    from migrator.runner.syncing.ends import RuleBook

    _Tuples = dict[str, tuple[TupleRow, ...]]


@dataclass
class Examined:
    """A page.

    Attributes:
        new: Users to be imported; whether they can be is found out when they are.
        steps: What has to be done about users who are there.
        obstacles: What cannot be done.
        absent_ids: Users who are gone on both sides.
        equal: Users who are as they have to be.
        left: Users about whom Auther decides.
        roles_unread: Roles become access tuples, and those cannot be read.
    """

    new: list[LegacyUser] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    obstacles: list[Obstacle] = field(default_factory=list)
    absent_ids: list[str] = field(default_factory=list)
    equal: int = 0
    left: int = 0
    roles_unread: bool = False


class _Pair(NamedTuple):
    user: LegacyUser
    record: Record
    stored: Stored


class Examiner:
    """Compares pages; the rules are asked for anew for each page.

    Attributes:
        unsettled: Ids of users who changed something at Auther that the application does not know
            yet: until it does, they are followed in being deleted only.
    """

    def __init__(self, target: Target, rules: RuleBook, *, now_ms: int) -> None:
        self._target = target
        self._rules = rules
        self._now_ms = now_ms
        self.unsettled: frozenset[str] = frozenset()

    def users(self, users: Sequence[LegacyUser], records: Mapping[str, Record]) -> Examined:
        """Examine users who are there; `records` are what `migrator_identity` says of them, by key."""
        found = Examined()
        known = [records[user.pk] for user in users if user.pk in records]
        stored = self._target.read([r.auther_id for r in known if r.is_followed])
        pairs = []
        for user in users:
            record = records.get(user.pk)
            if record is None or (record.is_followed and record.auther_id not in stored):
                found.new.append(user)
            elif not record.is_followed:
                found.left += 1
            elif record.auther_id in self.unsettled:
                self._leave(user, record, stored[record.auther_id], found)
            else:
                pairs.append(_Pair(user, record, stored[record.auther_id]))
        if pairs:
            self._examine(pairs, self._rules.rules_for([pair.user for pair in pairs]), found)
        return found

    def plain(
        self, users: PlainUsers, records: Mapping[str, Record]
    ) -> tuple[Examined, list[str]]:
        """Examine users with nothing special about them, which costs half as much.

        Args:
            users: Those who are there.
            records: As for `users`.

        Returns:
            What was found, and the keys of those about whom that does not say everything: `users`
            has to look at them.
        """
        found, left = Examined(), dict.fromkeys(users.pks)
        rules = self._rules.rules_for_plain(users.emails)
        stored = self._target.read([r.auther_id for r in records.values() if r.is_followed])
        rows = []
        for row in _map_columns(users, rules):
            record = records.get(row.pk)
            if record is None:
                continue
            if not record.is_followed:
                found.left += 1
                del left[row.pk]
            elif self._is_simple(row, record, stored.get(record.auther_id)):
                rows.append(row)
                del left[row.pk]
        held = self._tuples(rows, rules, found)
        for row in rows:
            self._compare(row, stored[row.user.id], records[row.pk], rules, found, held)
        return found, [*left]

    def _is_simple(self, row: Mapped, record: Record, stored: Stored | None) -> bool:
        """Tell that everything about a user is in the rows of both sides."""
        return (
            stored is not None
            and record.auther_id == row.user.id
            and record.auther_id not in self.unsettled
            and not stored.is_privileged
            and not _moves(row, stored)
        )

    def _leave(self, user: LegacyUser, record: Record, stored: Stored, found: Examined) -> None:
        found.obstacles.append(Obstacle(user.pk, CHANGED_MEANWHILE, "not written back yet"))
        if user.deleted_ms is not None:
            self._shut_out(stored, record, BANNED_DELETED, found)

    def gone(self, records: Sequence[Record], *, delete: bool) -> Examined:
        """Examine users whose legacy row is gone.

        Args:
            records: What `migrator_identity` says of them.
            delete: Take those out of Auther who never used it, instead of shutting them out.
        """
        found = Examined()
        stored = self._target.read([record.auther_id for record in records])
        used = self._target.tables_in_use(list(stored)) if delete and stored else {}
        for record in records:
            there = stored.get(record.auther_id)
            if there is None:
                found.absent_ids.append(record.auther_id)
            elif there.is_privileged:
                found.obstacles.append(_privileged(record.pk, there))
            elif delete and record.auther_id not in used and self._is_untouched(there):
                found.steps.append(deleted(there, record))
            else:
                self._shut_out(there, record, BANNED_GONE, found)
        return found

    def _is_untouched(self, stored: Stored) -> bool:
        mark = self._rules.rules_for(()).mark
        return all(
            is_ours(account, mark)
            and (account.provider_id != CREDENTIAL or (account.password or "").startswith(PREFIX))
            for account in stored.accounts
        )

    def _shut_out(self, stored: Stored, record: Record, reason: str, found: Examined) -> None:
        step = banned(stored, record, reason, now_ms=self._now_ms)
        if step is None:
            found.equal += 1
        else:
            found.steps.append(step)

    def _examine(self, pairs: Sequence[_Pair], rules: Rules, found: Examined) -> None:
        ready = _map_plain([pair.user for pair in pairs], rules)
        rows = [(pair, row) for pair in pairs if (row := self._map(pair, rules, found, ready))]
        moved = {
            row.pk: row._replace(accounts=_new_accounts(row, pair.stored))
            for pair, row in rows
            if _moves(row, pair.stored)
        }
        taken = self._target.find(list(moved.values())) if moved else Found()
        held = self._tuples([row for _, row in rows], rules, found)
        for pair, row in rows:
            made: Mapped | Reject = row
            if row.pk in moved:
                made, obstacles = fit(row, taken, pair.user, pair.stored, rules)
                found.obstacles += obstacles
            if isinstance(made, Mapped):
                self._compare(made, pair.stored, pair.record, rules, found, held)

    def _tuples(self, rows: Sequence[Mapped], rules: Rules, found: Examined) -> _Tuples | None:
        """Read what roles became; None when roles become nothing, or that cannot be read."""
        if not rules.grants.by_role or not rows:
            return None
        held = self._target.tuples([row.user.id for row in rows])
        found.roles_unread |= held is None
        return held

    def _map(
        self, pair: _Pair, rules: Rules, found: Examined, ready: Mapping[str, Mapped]
    ) -> Mapped | None:
        if pair.stored.is_privileged:
            found.obstacles.append(_privileged(pair.user.pk, pair.stored))
            return None
        made: Mapped | Reject | None = ready.get(pair.user.pk)
        if made is None:
            made, obstacles = map_known(pair.user, pair.stored, rules)
            found.obstacles += obstacles
        if isinstance(made, Mapped):
            if made.user.id == pair.record.auther_id:
                return made
            found.left += 1  # Linked to a user whom Auther had before.
        elif made.reason is RejectReason.LINKED:
            found.left += 1
        else:
            self._follow_deletion(pair, made, found)
        return None

    def _follow_deletion(self, pair: _Pair, reject: Reject, found: Examined) -> None:
        """Follow a user whose row cannot be mapped at least in being deleted."""
        found.obstacles.append(Obstacle(reject.pk, str(reject.reason), reject.detail))
        if pair.user.deleted_ms is not None:
            self._shut_out(pair.stored, pair.record, BANNED_DELETED, found)

    def _compare(
        self,
        row: Mapped,
        stored: Stored,
        record: Record,
        rules: Rules,
        found: Examined,
        held: _Tuples | None,
    ) -> None:
        roles = NO_ROLES
        if held is not None:
            roles = rules.grants.revision(row.tuples, held.get(row.user.id, ()))
        step = merge(row, stored, record, mark=rules.mark, now_ms=self._now_ms, roles=roles)
        if step is None:
            found.equal += 1
        else:
            found.steps.append(step)


def _map_plain(users: Sequence[LegacyUser], rules: Rules) -> dict[str, Mapped]:
    """Map users with nothing special about them at once, which costs a fifth."""
    if rules.apart is None:
        return {}
    rows = PlainMapper.under(rules).rows(pick_read(users, apart=rules.apart))
    return {row.pk: row for row in rows}


def _map_columns(users: PlainUsers, rules: Rules) -> list[Mapped]:
    if rules.apart is None:
        return []
    return PlainMapper.under(rules).rows(pick_columns(users, apart=rules.apart)[0])


def _moves(row: Mapped, stored: Stored) -> bool:
    user, before = row.user, stored.user
    return (
        user.email != before.email
        or user.username != before.username
        or bool(_new_accounts(row, stored))
    )


def _new_accounts(row: Mapped, stored: Stored) -> tuple[AccountRow, ...]:
    brought = [account for account in row.accounts if account.provider_id != CREDENTIAL]
    if not brought:
        return ()
    known = {account.id for account in stored.accounts}
    return tuple(account for account in brought if account.id not in known)


def _privileged(pk: str, stored: Stored) -> Obstacle:
    return Obstacle(pk, PRIVILEGED, f"has the role {stored.user.role} at Auther")
