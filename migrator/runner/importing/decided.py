"""What the resolution file means for this migration: who wins, what fits nobody, what comes too late."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from migrator.auther.interface import Mapped
from migrator.auther.mapping.map import to_rows
from migrator.core.emails import normalise
from migrator.core.errors import ConflictError, UsageError
from migrator.core.resolutions import Action, Resolution

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from migrator.auther.interface import Stored, Target
    from migrator.auther.mapping.rules import Rules
    from migrator.core.users import LegacyUser
    from migrator.legacy.identity import IdentityTable
    from migrator.legacy.interface import EmailJudge, LegacySource

SHOWN = 5
_FITS_A_REASON = frozenset({Action.TIMES, Action.WITHOUT_PASSWORD, Action.WITHOUT_IDENTITIES})


def new_addresses(resolutions: Mapping[str, Resolution]) -> list[str]:
    """Give the addresses under which users shall be imported instead of their own."""
    return [resolution.email for resolution in resolutions.values() if resolution.email]


class _ReadsUsers(Protocol):
    def users(self, pks: Sequence[str]) -> tuple[LegacyUser, ...]: ...


def email_loses(
    source: _ReadsUsers, judge: EmailJudge, resolutions: Mapping[str, Resolution]
) -> Callable[[str, str, str], bool]:
    """Say who may not have an address, once a person has decided whose some of them are.

    Raises:
        UsageError: Two users shall win one address.
    """
    winners = _winners(source, resolutions)
    if not winners:
        return judge.loses

    def loses(pk: str, email: str, wanted: str) -> bool:
        winner = winners.get(wanted)
        return judge.loses(pk, email, wanted) if winner is None else winner != pk

    return loses


def _winners(source: _ReadsUsers, resolutions: Mapping[str, Resolution]) -> dict[str, str]:
    named = [pk for pk, found in resolutions.items() if Action.WINS in found.actions]
    winners: dict[str, str] = {}
    for user in source.users(named) if named else ():
        address = normalise(user.email or "")
        other = winners.setdefault(address, user.pk)
        if other != user.pk:
            lines = sorted(resolutions[pk].line for pk in (other, user.pk))
            raise UsageError(
                f"lines {lines[0]} and {lines[1]} of the resolution file: users {other} and"
                f" {user.pk} cannot both win the same address",
                hint='give one of them another address (action = "email")',
            )
    return winners


def apart(
    source: _ReadsUsers, judge: EmailJudge, resolutions: Mapping[str, Resolution]
) -> frozenset[str] | None:
    """Give the keys and addresses about which a decision may say something.

    Returns:
        None when anybody's address may be somebody else's.
    """
    if judge.has_repeated:
        return None
    users = source.users(list(resolutions)) if resolutions else ()
    addresses = [*(user.email or "" for user in users), *new_addresses(resolutions)]
    return frozenset({*resolutions, *map(normalise, addresses)})


@dataclass
class Entries:
    """Sees every user that has an entry, to tell afterwards which entries fit nobody."""

    rules: Rules
    _seen: dict[str, bool] = field(default_factory=dict)

    def see(self, user: LegacyUser) -> None:
        """Take note of a user."""
        resolution = self.rules.resolutions.get(user.pk)
        if resolution is not None:
            self._seen[user.pk] = self._is_needed(user, resolution)

    def _is_needed(self, user: LegacyUser, resolution: Resolution) -> bool:
        if not resolution.actions <= _FITS_A_REASON:
            return True
        return not isinstance(to_rows(user, replace(self.rules, resolutions={})), Mapped)

    def unmatched(self, acknowledged: set[str]) -> tuple[str, ...]:
        """Name the entries that fit nobody (any more), in the file's order.

        Args:
            acknowledged: Keys whose reject an entry skips.
        """
        found = []
        for pk, resolution in self.rules.resolutions.items():
            why = self._misfit(pk, resolution, acknowledged)
            if why:
                found.append(f"line {resolution.line}, user {pk}: {why}")
        return tuple(found)

    def _misfit(self, pk: str, resolution: Resolution, acknowledged: set[str]) -> str:
        if pk not in self._seen:
            return "there is no such user"
        if Action.SKIP in resolution.actions and pk not in acknowledged:
            return f"not rejected as {resolution.reason}"
        return "" if self._seen[pk] else "not needed: nothing stands in this user's way"


def fingerprints(resolutions: Mapping[str, Resolution]) -> dict[str, str]:
    """Give what tells, without addresses, whether an entry was changed: by legacy key."""
    return {
        pk: sha256("\n".join(resolution.content()).encode()).hexdigest()[:16]
        for pk, resolution in sorted(resolutions.items())
        if resolution.shapes_rows
    }


class Latecomers:
    """Finds entries that were changed after their users were imported."""

    def __init__(
        self, source: LegacySource, target: Target, identities: IdentityTable, rules: Rules
    ) -> None:
        self._source = source
        self._target = target
        self._identities = identities
        self._rules = rules

    def refuse(self, recorded: Mapping[str, str]) -> None:
        """Let pass entries that still can be obeyed.

        Args:
            recorded: `fingerprints` of the run before.

        Raises:
            ConflictError: Users are at Auther in another way than the file says now.
        """
        current = fingerprints(self._rules.resolutions)
        changed = sorted(pk for pk in {*recorded, *current} if recorded.get(pk) != current.get(pk))
        faults = [*self._imported_otherwise(changed), *self._addresses_given_away()]
        if faults:
            listed = "\n".join(f"  {fault}" for fault in faults[:SHOWN])
            raise ConflictError(
                f"the resolution file was changed too late for {len(faults)} users:\n{listed}",
                hint="set the entries back, or: migrator import rollback",
            )

    def _imported_otherwise(self, pks: list[str]) -> list[str]:
        links = self._identities.known(pks, []).links if pks else {}
        ours = {pk: link for pk, link in links.items() if link.origin != "jit"}
        stored = self._target.read([link.auther_id for link in ours.values()])
        users = {user.pk: user for user in self._source.users(list(ours))} if ours else {}
        return [
            f"user {pk} is at Auther already, as the entry said before"
            for pk, link in ours.items()
            if pk in users and not self._is_as_said(users[pk], link.auther_id, stored)
        ]

    def _is_as_said(self, user: LegacyUser, auther_id: str, stored: Mapping[str, Stored]) -> bool:
        resolution = self._rules.resolutions.get(user.pk)
        if resolution is not None and Action.LINK in resolution.actions:
            return resolution.auther_id == auther_id
        made = to_rows(user, self._rules)
        if auther_id not in stored:
            return isinstance(made, Mapped) and made.user.id == auther_id
        return isinstance(made, Mapped) and _governed(made) == _governed(stored[auther_id])

    def _addresses_given_away(self) -> list[str]:
        """Find those who shall win an address under which another of our users was imported."""
        winners = [pk for pk, r in self._rules.resolutions.items() if Action.WINS in r.actions]
        users = self._source.users(winners) if winners else ()
        wanted = {normalise(user.email or ""): user.pk for user in users}
        holders = self._target.owners(list(wanted)) if wanted else {}
        owners = self._identities.known([], list(holders.values())).owners if holders else {}
        return [
            f"user {wanted[address]} shall win an address that user {owners[auther_id][1]} has at"
            " Auther"
            for address, auther_id in holders.items()
            if auther_id in owners and owners[auther_id] != (self._rules.source, wanted[address])
        ]


def _governed(row: Mapped | Stored) -> tuple[object, ...]:
    """Give the parts of a user that an entry decides about."""
    accounts = frozenset(account.id for account in row.accounts)
    return row.user.email, row.user.created_at, accounts
