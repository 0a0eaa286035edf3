"""Maps users with nothing special about them, many at a time, to the rows that `to_rows` gives."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from migrator.auther.interface import AccountRow, Mapped, UserRow
from migrator.auther.map import to_rows
from migrator.core import ids
from migrator.core.users import LegacyUser

if TYPE_CHECKING:
    from migrator.auther.map import Rules
    from migrator.core.plain import PlainUsers

_HASH = "$2a$10$" + "a" * 53


class PlainRows(NamedTuple):
    """What differs from one user to the next; columns of equal length, in key order.

    Attributes:
        prints: SHA-256 of the legacy hash in hexadecimal.
        verified: 0 or 1.
    """

    pks: list[str]
    prints: list[str]
    ids: list[str]
    names: list[str]
    emails: list[str]
    verified: list[int]
    created_ms: list[int]
    updated_ms: list[int]
    account_ids: list[str]
    passwords: list[str]


@dataclass(frozen=True)
class PlainMapper:
    """Maps by a sample that `to_rows` made; holds nothing that cannot be sent to another process.

    Attributes:
        user: The sample's row; so is `account`.
        head: What the envelope puts before the hash.
        verified: The flag of users who are not confirmed, and of those who are.
        mark: `ids.mark_key` of the key.
    """

    namespace: str
    source: str
    key: bytes = field(repr=False)
    mark: bytes = field(repr=False)
    derived_ids: bool
    user: tuple[Any, ...]
    account: tuple[Any, ...]
    head: str
    verified: tuple[int, int]

    @classmethod
    def under(cls, rules: Rules) -> PlainMapper:
        """Find out what the rules make of plain users."""
        unconfirmed, confirmed = (_sample(rules, confirmed_ms=at_ms) for at_ms in (None, 0))
        (account,) = confirmed.accounts
        return cls(
            rules.namespace,
            rules.source,
            rules.key,
            rules.mark,
            rules.derived_ids,
            tuple(confirmed.user),
            tuple(account),
            (account.password or "").removesuffix(_HASH),
            (unconfirmed.user.email_verified, confirmed.user.email_verified),
        )

    def rows(self, users: PlainUsers) -> PlainRows:
        """Map users."""
        user_ids = self._user_ids(users.pks) if self.derived_ids else users.pks
        provider = AccountRow._make(self.account).provider_id
        return PlainRows(
            users.pks,
            [sha256(value.encode()).hexdigest() for value in users.passwords],
            user_ids,
            users.names,
            users.emails,
            [self.verified[is_confirmed] for is_confirmed in users.confirmed],
            users.created_ms,
            users.updated_ms,
            ids.own_account_ids(self.mark, owners=user_ids, provider=provider),
            [self.head + value for value in users.passwords],
        )

    def _user_ids(self, pks: list[str]) -> list[str]:
        return ids.user_ids(self.key, namespace=self.namespace, source=self.source, pks=pks)

    def users(self, rows: PlainRows) -> list[tuple[Any, ...]]:
        """Give the rows of `user`, in the order of `UserRow`."""
        varying = {
            "id": rows.ids,
            "name": rows.names,
            "email": rows.emails,
            "email_verified": rows.verified,
            "created_at": rows.created_ms,
            "updated_at": rows.updated_ms,
        }
        sample = zip(UserRow._fields, self.user, strict=True)
        return list(zip(*(varying.get(column, repeat(same)) for column, same in sample)))  # noqa: B905

    def accounts(self, rows: PlainRows) -> list[tuple[Any, ...]]:
        """Give the rows of `account`, in the order of `AccountRow`."""
        varying = {
            "id": rows.account_ids,
            "account_id": rows.ids,
            "user_id": rows.ids,
            "password": rows.passwords,
            "created_at": rows.created_ms,
            "updated_at": rows.updated_ms,
        }
        sample = zip(AccountRow._fields, self.account, strict=True)
        return list(zip(*(varying.get(column, repeat(same)) for column, same in sample)))  # noqa: B905

    def mapped(self, rows: PlainRows) -> list[Mapped]:
        """Give the same as `to_rows` does, user by user."""
        users, accounts = map(UserRow._make, self.users(rows)), self.accounts(rows)
        return [
            Mapped(pk, user, (AccountRow._make(account),), None, fingerprint, ())
            for pk, user, account, fingerprint in zip(
                rows.pks, users, accounts, rows.prints, strict=True
            )
        ]


def _sample(rules: Rules, *, confirmed_ms: int | None) -> Mapped:
    user = LegacyUser(
        pk="1",
        email="sample@example.org",
        password=_HASH,
        name=None,
        username=None,
        created_ms=0,
        updated_ms=0,
        confirmed_ms=confirmed_ms,
        locked_ms=None,
        deleted_ms=None,
        second_factor=False,
    )
    made = to_rows(user, replace(rules, resolutions={}, email_loses=lambda *_: False))
    assert isinstance(made, Mapped)  # noqa: S101 - nothing stands in the way of this one
    return made
