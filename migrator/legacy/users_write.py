"""Writes what changed at Auther into the application's users table, as its framework would."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from migrator.core.emails import normalise
from migrator.core.errors import RefusedError, UsageError
from migrator.core.sql import ident
from migrator.legacy.columns import TIME_TYPES
from migrator.legacy.connect import compose, wrapped
from migrator.legacy.interface import INTEGER_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migrator.legacy.connection import Connection
    from migrator.legacy.writable.interface import Writable

# A lock without an end: Devise lifts one whose time is `unlock_in` past, and this never is.
LOCKED_FOR_GOOD = "9999-01-01 00:00:00"
# Where this column is there, remember-me hangs on it and no longer on the password.
_REMEMBER_TOKEN = "remember_token"  # noqa: S105
_WRITTEN = (
    "encrypted_password",
    "email",
    "unconfirmed_email",
    "updated_at",
    "locked_at",
    "active",
    "deleted_at",
    "confirmed_at",
)
_WITHOUT_ZONE = "timestamp without time zone"
# As many as tell what the application writes today.
_SAMPLE_ROWS = 500


@dataclass(frozen=True)
class HeldRow:
    """A row of the users table that nobody else writes until our transaction ends.

    Attributes:
        password: As the import reads it; NULL and '' both mean that there is none.
        locked_at: As PostgreSQL writes it; None without a lock or a column for it.
        confirmed_at: Likewise.
        username: Only one that may have to change with the address.
        active: None when the row's own flag keeps its user out, or without such a flag.
        privileged: None unless a flag says so.
    """

    email: str | None
    password: str | None
    locked_at: str | None
    confirmed_at: str | None
    username: str | None
    active: str | None
    privileged: str | None


class UsersTable:
    """The users table; each call is a statement of the transaction that is open."""

    def __init__(self, connection: Connection, writable: Writable) -> None:
        self.writable = writable
        self.columns = columns = writable.columns
        self._zone = _zone(writable.time_zone)
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
            "password": writable.password or self._text_of("encrypted_password"),
            "locked_at": self._text_of("locked_at"),
            "confirmed_at": self._text_of("confirmed_at"),
            "username": self._text(writable.username),
            "active": self._flags(*filter(None, [columns.column("active")])),
            "privileged": self._flags(*writable.privileged),
            "links": writable.reset_links.relation if writable.reset_links else "",
        }

    def check_rights(self, *, inserting: bool) -> None:
        """Make sure that our role may write what is going to be written.

        Args:
            inserting: New rows are going to be written too.

        Raises:
            RefusedError: It may not; the hint is the GRANT that it needs.
        """
        parts, username = self.columns.parts, self.writable.username
        written = [parts[part] for part in _WRITTEN if part in parts]
        written += [c for c in (*self.writable.cleared, _REMEMBER_TOKEN) if self._has(c)]
        written += [username] if username else []
        missing = [c for (c,) in self._ask("missing_rights", **self._place, columns=written)]
        wanted = [f"UPDATE ({', '.join(map(ident, missing))})"] if missing else []
        if inserting and not self._ask("may_insert", **self._place)[0][0]:
            wanted.append("INSERT")
        if wanted:
            self._refuse(str(self.columns.table), f"GRANT {', '.join(wanted)} ON {self._users}")
        links = self.writable.reset_links
        if links and not self._ask("may_end_links", links=links.relation)[0][0]:
            self._refuse(str(links), f"GRANT SELECT, DELETE ON {links.relation}")

    def _refuse(self, table: str, grant: str) -> None:
        role = str(self._ask("role")[0][0])
        raise RefusedError(
            f"the role of legacy.dsn may not write {table}",
            hint=f"{grant} TO {role}".replace('"', self._connection.quote),
        )

    def newest_passwords(self) -> list[str]:
        """Give those of the newest rows, as the import reads them."""
        return [password for (password,) in self._ask("newest_passwords", rows=_SAMPLE_ROWS)]

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
            value: A whole value of one of the application's schemes.
            at: Now, ISO 8601 in UTC.
        """
        stored: str | None = self.writable.stored(value)
        values = {self._column("encrypted_password"): stored}
        if self._has(_REMEMBER_TOKEN):
            values[_REMEMBER_TOKEN] = self.writable.remember_token()
        self._end_links(pk)
        self._change(pk, {**values, **self._cleared()}, at=at)

    def set_email(self, pk: str, row: HeldRow, email: str, *, at: str) -> None:
        """Write an address, and a user name that is it; a change that waited for its confirmation ends.

        Args:
            pk: Whose.
            row: What is there.
            email: The new one.
            at: Now, ISO 8601 in UTC.
        """
        values: dict[str, Any] = {self._column("email"): email}
        if row.email and row.username and normalise(row.username) == normalise(row.email):
            values[self.writable.username] = email
        pending = self.columns.column("unconfirmed_email")
        self._end_links(pk)
        self._change(
            pk, {**values, **self._cleared(), **({pending: None} if pending else {})}, at=at
        )

    @property
    def notes_proofs(self) -> bool:
        """Tell whether the application keeps proven addresses apart from others."""
        return self.columns.column("confirmed_at") is not None

    def confirm(self, pk: str, *, at: str) -> None:
        """Note that the address is proven, where that is noted."""
        column = self.columns.column("confirmed_at")
        if column is not None:
            self._change(pk, {column: self._moment(column, at)}, at=at)

    @property
    def locked_by(self) -> str | None:
        """Name the part that keeps somebody out for good: `locked_at`, else `active`; None without both."""
        return next((part for part in ("locked_at", "active") if self.columns.column(part)), None)

    def lock(self, pk: str, *, at: str) -> None:
        """Keep somebody out for good, where there is a column for it."""
        self._set_lock(pk, {"locked_at": LOCKED_FOR_GOOD, "active": False}, at=at)

    def unlock(self, pk: str, *, at: str) -> None:
        """Take the lock away."""
        self._set_lock(pk, {"locked_at": None, "active": True}, at=at)

    def _set_lock(self, pk: str, values: Mapping[str, Any], *, at: str) -> None:
        if self.locked_by:
            self._change(pk, {self._column(self.locked_by): values[self.locked_by]}, at=at)

    def soft_delete(self, pk: str, *, at: str) -> bool:
        """Write `deleted_at`; False without such a column."""
        column = self.columns.column("deleted_at")
        if column is None:
            return False
        self._change(pk, {column: self._moment(column, at)}, at=at)
        return True

    def new_values(self, **person: Any) -> dict[str, Any]:
        """Give what a new row says beside address and password, by column.

        Args:
            person: `auther_id`, `email`, `name`, `email_verified`, and `at`, now in ISO 8601 in UTC.
        """
        further = self.writable.row.further
        if not further:
            return {}
        query = self._query("new_values", expressions=", ".join(further.values()))
        with wrapped("making a new row"):
            (values,) = self._connection.execute(query, person).fetchall()
        found = zip(further, values, strict=True)
        return {column: value for column, value in found if value is not None}

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
        values = {**values, **({moved: self._moment(moved, at)} if moved else {})}
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

    def _moment(self, column: str, at: str) -> str | bool:
        """Give a time as a column keeps it: by the application's clock, or as a flag."""
        kind = self.columns.table.columns[column]
        if kind == "boolean":
            return True
        if self._zone is None or kind != _WITHOUT_ZONE:
            return at
        return datetime.fromisoformat(at).astimezone(self._zone).replace(tzinfo=None).isoformat()

    def _cleared(self) -> dict[str, None]:
        return {column: None for column in self.writable.cleared if self._has(column)}

    def _end_links(self, pk: str) -> None:
        if self.writable.reset_links:
            with wrapped("ending reset links"):
                self._connection.execute(self._query("end_links"), {"pk": self._key(pk)})

    def _column(self, part: str) -> str:
        return self.columns.parts[part]

    def _has(self, column: str) -> bool:
        return column in self.columns.table.columns

    def _key(self, pk: str) -> str | int:
        return int(pk) if self._integer_keys else pk

    def _text_of(self, part: str) -> str:
        column = self.columns.column(part)
        if self.columns.type_of(part) == "boolean":
            return self._flags(column or "")
        return self._text(column or "")

    def _text(self, column: str) -> str:
        query = self._queries["text_of" if column else "no_column"]
        return query.format(column=ident(column)) if column else query

    def _flags(self, *columns: str) -> str:
        """Give an expression that is NULL unless one of the flags is set."""
        any_of = " OR ".join(map(ident, columns))
        return (
            self._queries["is_set"].format(flag=any_of) if columns else self._queries["no_column"]
        )

    def _query(self, name: str, **parts: str) -> Any:
        return compose(self._queries[name], **self._parts, **parts)

    def _ask(self, name: str, **params: Any) -> list[tuple[Any, ...]]:
        with wrapped("reading users"):
            return self._connection.execute(self._query(name), params).fetchall()


def _escaped(column: str) -> str:
    """Quote a name that is put into a query before its other parts are."""
    return ident(column).replace("%", "%%").replace("{", "{{").replace("}", "}}")


def fingerprint(password: str | None) -> str | None:
    """Give what the identity table knows of a password, None without one."""
    return sha256(password.encode()).hexdigest() if password else None


def _zone(name: str) -> ZoneInfo | None:
    try:
        return None if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UsageError(
            f"legacy.time_zone: this machine knows no time zone {name}",
            hint="install the package tzdata",
        ) from error
