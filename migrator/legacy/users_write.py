"""Writes what changed at Auther into the application's users table, as Devise itself would."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.core.errors import RefusedError
from migrator.core.sql import ident
from migrator.legacy.columns import TIME_TYPES
from migrator.legacy.connect import compose, wrapped
from migrator.legacy.interface import INTEGER_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migrator.legacy.columns import DeviseColumns
    from migrator.legacy.connection import Connection

# A lock without an end: Devise lifts one whose time is `unlock_in` past, and this never is.
LOCKED_FOR_GOOD = "9999-01-01 00:00:00"
# Devise clears these when a password or an address changes.
_RESET_TOKENS = ("reset_password_token", "reset_password_sent_at")
# Where this column is there, remember-me hangs on it and no longer on the password.
_REMEMBER_TOKEN = "remember_token"  # noqa: S105
_WRITTEN = ("encrypted_password", "email", "unconfirmed_email", "updated_at")


@dataclass(frozen=True)
class HeldRow:
    """A row of the users table that nobody else writes until our transaction ends.

    Attributes:
        password: NULL and '' both mean that there is none.
        locked_at: As PostgreSQL writes it; None without a lock or a column for it.
        confirmed_at: Likewise.
    """

    email: str | None
    password: str | None
    locked_at: str | None
    confirmed_at: str | None


class UsersTable:
    """The users table; each call is a statement of the transaction that is open."""

    def __init__(self, connection: Connection, columns: DeviseColumns) -> None:
        self.columns = columns
        self._connection = connection
        self._queries = connection.queries("users_write.sql")
        table = columns.table
        self._users = ident(table.schema, table.name)
        self._place = {"users": self._users, "schema": table.schema, "table": table.name}
        self._integer_keys = columns.type_of("id") in INTEGER_TYPES
        parts = {part: ident(columns.parts[part]) for part in ("id", "email")}
        self._parts = {
            **parts,
            "users": self._users,
            "encrypted_password": ident(columns.parts["encrypted_password"]),
            "locked_at": self._text_of("locked_at"),
            "confirmed_at": self._text_of("confirmed_at"),
        }

    def check_rights(self, parts: Sequence[str], *, inserting: bool) -> None:
        """Make sure that our role may write what is going to be written.

        Args:
            parts: Of Devise, beside those of password and address.
            inserting: New rows are going to be written too.

        Raises:
            RefusedError: It may not; the hint is the GRANT that it needs.
        """
        written = [self.columns.parts[p] for p in (*_WRITTEN, *parts) if p in self.columns.parts]
        written += [c for c in (*_RESET_TOKENS, _REMEMBER_TOKEN) if self._has(c)]
        missing = [c for (c,) in self._ask("missing_rights", **self._place, columns=written)]
        wanted = [f"UPDATE ({', '.join(map(ident, missing))})"] if missing else []
        if inserting and not self._ask("may_insert", **self._place)[0][0]:
            wanted.append("INSERT")
        if wanted:
            role = str(self._ask("role")[0][0])
            users, quote = self._users, self._connection.quote
            raise RefusedError(
                f"the role of legacy.dsn may not write {self.columns.table}",
                hint=f"GRANT {', '.join(wanted)} ON {users} TO {role}".replace('"', quote),
            )

    def hold(self, pk: str) -> HeldRow | None:
        """Lock and read a row; None when it is gone."""
        rows = self._ask("locked", pk=self._key(pk))
        return HeldRow(*rows[0]) if rows else None

    def is_taken(self, email: str, *, by_other_than: str) -> bool:
        """Tell whether another row has an address, in whatever spelling."""
        return bool(self._ask("taken", email=email, pk=self._key(by_other_than))[0][0])

    def is_known(self, email: str) -> bool:
        """Tell whether any row has an address, in whatever spelling."""
        return bool(self._ask("taken_in_any_spelling", email=email)[0][0])

    def set_password(self, pk: str, value: str, *, at: str) -> None:
        """Write a hash; reset links in flight end, and with them what hangs on the old hash.

        Args:
            pk: Whose.
            value: A whole value of the application's scheme.
            at: Now, ISO 8601 in UTC.
        """
        tokens = {c: None for c in (*_RESET_TOKENS, _REMEMBER_TOKEN) if self._has(c)}
        self._change(pk, {self._column("encrypted_password"): value, **tokens}, at=at)

    def set_email(self, pk: str, email: str, *, at: str) -> None:
        """Write an address; a change that waited for its confirmation ends."""
        values = {self._column("email"): email}
        pending = self.columns.column("unconfirmed_email")
        cleared = {c: None for c in _RESET_TOKENS if self._has(c)}
        self._change(pk, {**values, **cleared, **({pending: None} if pending else {})}, at=at)

    @property
    def notes_proofs(self) -> bool:
        """Tell whether the application keeps proven addresses apart from others."""
        return self.columns.column("confirmed_at") is not None

    def confirm(self, pk: str, *, at: str) -> None:
        """Note that the address is proven, where that is noted."""
        column = self.columns.column("confirmed_at")
        if column is not None:
            self._change(pk, {column: at}, at=at)

    def set_time(self, pk: str, part: str, when: str | None, *, at: str) -> bool:
        """Write `locked_at` or `deleted_at`.

        Returns:
            Whether there is such a column.
        """
        column = self.columns.column(part)
        if column is None:
            return False
        self._change(pk, {column: when}, at=at)
        return True

    def needed_columns(self) -> tuple[str, ...]:
        """Name the columns for which a new row must bring a value."""
        return tuple(c for (c,) in self._ask("needed_columns", **self._place))

    def insert(self, values: Mapping[str, Any]) -> str:
        """Write a new row and give its key."""
        query, params = self._written("insert", values)
        with wrapped("writing a new user"):
            row = self._connection.execute(query, params).fetchone()
        assert row is not None  # noqa: S101
        return str(row[0])

    def emails(self, pks: Sequence[str]) -> dict[str, str | None]:
        """Give addresses by key, for people's eyes."""
        keys = [self._key(pk) for pk in pks]
        return dict(self._ask("shown", pks=keys)) if keys else {}

    def _change(self, pk: str, values: dict[str, Any], *, at: str) -> None:
        moved = self.columns.column("updated_at")
        values = {**values, **({moved: at} if moved else {})}
        query, params = self._written("change", values)
        with wrapped("writing a user"):
            self._connection.execute(query, {**params, "pk": self._key(pk)})

    def _written(self, name: str, values: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Give a query for values, which are its parameters both as one JSON object and one by one."""
        places = [self._value(column, f"%(value{at})s") for at, column in enumerate(values)]
        pairs = zip(map(_escaped, values), places, strict=True)
        assignments = ", ".join(f"{column} = {place}" for column, place in pairs)
        text = self._queries[name].replace("{assignments}", assignments)
        text = text.replace("{values}", ", ".join(places))
        query = compose(text, columns=", ".join(map(ident, values)), **self._parts)
        single = {f"value{at}": value for at, value in enumerate(values.values())}
        return query, {"values": json.dumps(values, ensure_ascii=False), **single}

    def _value(self, column: str, place: str) -> str:
        is_time = self.columns.table.columns[column] in TIME_TYPES
        return self._queries["time_value"].format(value=place) if is_time else place

    def _column(self, part: str) -> str:
        return self.columns.parts[part]

    def _has(self, column: str) -> bool:
        return column in self.columns.table.columns

    def _key(self, pk: str) -> str | int:
        return int(pk) if self._integer_keys else pk

    def _text_of(self, part: str) -> str:
        column = self.columns.column(part)
        if column is None:
            return self._queries["no_column"]
        return self._queries["text_of"].format(column=ident(column))

    def _query(self, name: str, **parts: str) -> Any:
        return compose(self._queries[name], **self._parts, **parts)

    def _ask(self, name: str, **params: Any) -> list[tuple[Any, ...]]:
        with wrapped("reading users"):
            return self._connection.execute(self._query(name), params).fetchall()


def _escaped(column: str) -> str:
    """Quote a name that is put into a query before its other parts are."""
    return ident(column).replace("%", "%%").replace("{", "{{").replace("}", "}}")
