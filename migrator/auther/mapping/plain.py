"""Maps users with nothing special about them, many at a time, to the rows that `to_rows` gives."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from migrator.auther.interface import AccountRow, Alike, Mapped, UserRow
from migrator.auther.mapping.map import to_rows
from migrator.core import ids
from migrator.core.users import LegacyUser

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from migrator.auther.mapping.rules import Rules
    from migrator.core.plain import PlainUsers

_HASH = "$2a$10$" + "a" * 53


class Columns(NamedTuple):
    """What differs from one plain user to the next; of equal length, in key order.

    Attributes:
        verified: 0 or 1.
        passwords: Envelopes.
    """

    ids: list[str]
    names: list[str]
    emails: list[str]
    verified: Sequence[int]
    created_ms: Sequence[int]
    updated_ms: Sequence[int]
    account_ids: list[str]
    passwords: list[str]

    @classmethod
    def empty(cls) -> Columns:
        """Give the columns of nobody."""
        return cls([], [], [], [], [], [], [], [])


@dataclass(frozen=True)
class Sample:
    """What is the same in the rows of all plain users, shown by one whom `to_rows` mapped.

    Attributes:
        head: What the envelope puts before the hash.
        verified: The flag of users who are not confirmed, and of those who are.
    """

    user: tuple[Any, ...]
    account: tuple[Any, ...]
    head: str
    verified: tuple[int, int]

    @classmethod
    def under(cls, rules: Rules) -> Sample:
        """Find out what the rules make of plain users."""
        unconfirmed, confirmed = _mapped(rules, None), _mapped(rules, 0)
        (account,) = confirmed.accounts
        return cls(
            tuple(confirmed.user),
            tuple(account),
            (account.password or "").removesuffix(_HASH),
            (unconfirmed.user.email_verified, confirmed.user.email_verified),
        )

    def both(self, columns: Columns) -> tuple[Alike, Alike]:
        """Give the rows of `user` and of `account`."""
        # Both have the same times, which become objects once.
        created_ms = list(columns.created_ms)
        return _alike(
            UserRow._fields,
            self.user,
            {
                "id": columns.ids,
                "name": columns.names,
                "email": columns.emails,
                "email_verified": columns.verified,
                "created_at": created_ms,
                "updated_at": columns.updated_ms,
            },
        ), _alike(
            AccountRow._fields,
            self.account,
            {
                "id": columns.account_ids,
                "account_id": columns.ids,
                "user_id": columns.ids,
                "password": columns.passwords,
                "created_at": created_ms,
                "updated_at": created_ms,
            },
        )

    def mapped(
        self, columns: Columns, *, pks: Iterable[str], prints: Iterable[str]
    ) -> list[Mapped]:
        """Give the same as `to_rows` does, user by user.

        Args:
            columns: The users.
            pks: Their legacy keys.
            prints: SHA-256 of their legacy hashes in hexadecimal.
        """
        users, accounts = self.both(columns)
        return [
            Mapped(pk, user, (account,), None, fingerprint, ())
            for pk, user, account, fingerprint in zip(
                pks,
                map(UserRow._make, users.rows()),
                map(AccountRow._make, accounts.rows()),
                prints,
                strict=True,
            )
        ]


def _alike(
    names: tuple[str, ...], sample: tuple[Any, ...], varying: Mapping[str, Sequence[Any]]
) -> Alike:
    same = {n: value for n, value in zip(names, sample, strict=True) if n not in varying}
    return Alike(names, same, varying)


def _mapped(rules: Rules, confirmed_ms: int | None) -> Mapped:
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
    if not isinstance(made, Mapped):
        raise TypeError(f"nothing stands in the way of this user, but: {made.reason}")
    return made


@dataclass(frozen=True)
class PlainMapper:
    """Makes columns; holds nothing that could not be sent to another process.

    Attributes:
        mark: `ids.mark_key` of the key.
    """

    sample: Sample
    namespace: str
    source: str
    key: bytes = field(repr=False)
    mark: bytes = field(repr=False)
    derived_ids: bool

    @classmethod
    def under(cls, rules: Rules) -> PlainMapper:
        """Take what is needed out of the rules."""
        sample = Sample.under(rules)
        return cls(sample, rules.namespace, rules.source, rules.key, rules.mark, rules.derived_ids)

    def columns(self, users: PlainUsers) -> Columns:
        """Map users."""
        user_ids = self._user_ids(users.pks)
        verified = bytes.maketrans(b"\0\1", bytes(self.sample.verified))
        provider = AccountRow._make(self.sample.account).provider_id
        return Columns(
            user_ids,
            users.names,
            users.emails,
            users.confirmed.translate(verified),
            users.created_ms,
            users.updated_ms,
            ids.own_account_ids(self.mark, owners=user_ids, provider=provider),
            [self.sample.head + value for value in users.passwords],
        )

    def rows(self, users: PlainUsers) -> list[Mapped]:
        """Map users, each as `to_rows` does."""
        return self.sample.mapped(self.columns(users), pks=users.pks, prints=users.prints)

    def _user_ids(self, pks: list[str]) -> list[str]:
        if not self.derived_ids:
            return pks
        return ids.user_ids(self.key, namespace=self.namespace, source=self.source, pks=pks)
