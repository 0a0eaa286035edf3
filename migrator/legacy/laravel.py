"""Reads the users of a Laravel application on PostgreSQL, through a SELECT made out for its tables."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from migrator.core.errors import UsageError
from migrator.core.queries import load
from migrator.core.sql import ident, literal
from migrator.core.texts import storable
from migrator.legacy.columns import TIME_TYPES
from migrator.legacy.connect import (
    compose,
    describe_table,
    open_postgres,
    wrapped,
)
from migrator.legacy.copytext import copy_rows
from migrator.legacy.devise import DeviseSource, Roles
from migrator.legacy.exact_emails import ExactEmails, Spelling
from migrator.legacy.new_user import EMAIL, LARAVEL_HASH, NOW, NewRow, when_verified
from migrator.legacy.query import FLAG, TEXTS, describe_query
from migrator.legacy.user_model import (
    UserModel,
    disabled,
    flag_role,
    read_through,
    roles_of,
    users_table,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from migrator.config.model import LegacySection
    from migrator.legacy.interface import TableShape
    from migrator.legacy.postgres import PostgresConnection

LIBRARY = "laravel"
MODEL = UserModel(
    "Laravel",
    usual={
        "id": "id",
        "email": "email",
        "password": "password",
        "name": "name",
        "created_at": "created_at",
        "updated_at": "updated_at",
        "confirmed_at": "email_verified_at",
        "deleted_at": "deleted_at",
        # Fortify asks those with a secret, or, with its option `confirm`, those who confirmed it.
        "second_factor": "two_factor_secret",
    },
    on_request=("username", "verified", "locked_at", "active"),
    types={"active": FLAG, "second_factor": FLAG | TEXTS | TIME_TYPES},
)
_UTC = "UTC"
_WITHOUT_ZONE = "timestamp without time zone"
# What PHP's trim, and so the middleware TrimStrings, cuts off.
TRIMMED = " \t\n\r\0\v"
# The drivers of Socialite, whose guide keeps the id in a column of the users table: github_id.
_DRIVERS = ("bitbucket", "facebook", "github", "gitlab", "google", "linkedin", "twitter")
_PROVIDERS = ("provider", "provider_name")
UIDS = ("provider_id", "provider_user_id", "uid", "social_id")
_TIMES = ("created_at", "updated_at")
_NAME = "coalesce(nullif(p_name, ''), split_part(p_email, '@', 1))"
_KEYS = ("model_id", "model_uuid", "model_ulid")


@contextmanager
def open_laravel(dsn: str, settings: LegacySection) -> Iterator[LaravelSource]:
    """Connect, read-only, and look at Laravel's tables.

    Args:
        dsn: The application's database.
        settings: `[legacy]` of migrator.toml.

    Raises:
        UsageError: A table or column is missing; the message lists what there is.
        DependencyError: The database cannot be reached, or fails while the block runs.
    """
    with open_postgres(dsn, doing='legacy.kind = "laravel"') as connection:
        table = users_table(connection, settings)
        roles = _roles(connection, table, settings)
        _refuse_unknown_zone(connection, settings.time_zone)
        query = users_query(table, settings, roles=roles)
        columns = read_through(connection, table, query, library=LIBRARY)
        identities = _identities(connection, table, settings)
        connection.read_any_bytes()
        names = Roles(names=settings.roles.names)
        row = new_row(table, settings)
        yield LaravelSource(connection, columns, identities, names, row)


def new_row(table: TableShape, settings: LegacySection) -> NewRow:
    """Give the new row of one model's table; its name has to be something."""
    columns = MODEL.columns(table, settings.columns)

    def now(part: str) -> str:
        without_zone = table.columns[columns[part]] == _WITHOUT_ZONE
        return (
            load("migrator.legacy", "laravel.sql")["now"].format(zone=literal(settings.time_zone))
            if without_zone
            else NOW
        )

    usual = {"name": _NAME, "username": EMAIL, "active": "true", "verified": "p_email_verified"}
    further = {columns[part]: value for part, value in usual.items() if part in columns}
    further |= {columns[part]: now(part) for part in _TIMES if part in columns}
    if "confirmed_at" in columns:
        further[columns["confirmed_at"]] = when_verified(now("confirmed_at"))
    return NewRow(
        table, columns["id"], columns["email"], columns["password"], LARAVEL_HASH, further
    )


class LaravelSource(DeviseSource):
    """Users whom `where email = …` finds: an address has to be typed as it is stored."""

    capitals_count = True

    def looked_up(self, typed: str) -> str:
        """Give the address that the login form looks for when somebody types this one."""
        return typed.strip(TRIMMED)

    def _new_judge(self) -> ExactEmails:
        return ExactEmails(self._spelled)

    def _spelled(self, emails: Sequence[str]) -> Iterator[Spelling]:
        queries = load("migrator.legacy", "laravel.sql")
        columns = self.columns
        deleted = columns.column("deleted_at")
        by_flag = columns.type_of("deleted_at") == "boolean"
        alive = queries["alive_by_flag" if by_flag else "alive"] if deleted else "TRUE"
        query = compose(
            queries["spelled"].replace("{alive}", alive),
            users=columns.table.relation,
            id=ident(columns.parts["id"]),
            email=ident(columns.parts["email"]),
            deleted_at=ident(deleted or "deleted_at"),
        )
        wanted = {"emails": [email for email in emails if storable(email)]}
        for pk, email, found in copy_rows(self._connection, query, wanted):
            yield Spelling(str(pk), str(email), found == "t")


def _refuse_unknown_zone(connection: PostgresConnection, zone: str) -> None:
    if zone == _UTC:
        return
    query = load("migrator.legacy", "laravel.sql")["knows_zone"].encode()
    with wrapped("looking for the time zone"):
        known = connection.execute(query, {"zone": zone}).fetchone()
    if known != (True,):
        raise UsageError(
            f"legacy.time_zone: PostgreSQL knows no time zone {zone}",
            hint="write app.timezone of the application, e.g. Europe/Berlin",
        )


def users_query(table: TableShape, settings: LegacySection, *, roles: str = "") -> str:
    """Make out the SELECT for one user model's table.

    Args:
        table: The table of the user model.
        settings: `[legacy]` of migrator.toml.
        roles: An expression that gives an array of the user's roles, empty to read none.

    Raises:
        UsageError: An override names an unknown part or a missing column, or a column that has to
            be there is missing.
    """
    overrides: Mapping[str, str] = settings.columns
    if overrides.get("verified"):
        overrides = {"confirmed_at": "", **overrides}
    columns = MODEL.columns(table, overrides)
    shown = {part: _shown(table, "u", column, settings) for part, column in columns.items()}
    if "active" in shown:
        shown["disabled"] = disabled(shown.pop("active"))
    if table.columns.get(columns.get("second_factor", ""), "boolean") != "boolean":
        shown["second_factor"] = _query("is_filled", column=shown["second_factor"])
    if roles:
        shown["roles"] = roles
    parts = ",\n".join(f"{text} AS {ident(part)}" for part, text in shown.items())
    return _query("users", parts=parts, users=table.relation)


def _shown(table: TableShape, alias: str, column: str, settings: LegacySection) -> str:
    """Give a column, a time without a zone as the moment that it means."""
    place = f"{alias}.{ident(column)}"
    if settings.time_zone == _UTC or table.columns[column] != _WITHOUT_ZONE:
        return place
    return _query("in_zone", column=place, zone=literal(settings.time_zone))


def _query(name: str, **parts: str) -> str:
    return load("migrator.legacy", "laravel.sql")[name].format(**parts)


def _roles(connection: PostgresConnection, table: TableShape, settings: LegacySection) -> str:
    roles = settings.roles
    return roles_of(
        _joined(connection, table, settings) if roles.join_table else "",
        _own_roles(table, roles.column) if roles.column else "",
    )


def _joined(connection: PostgresConnection, table: TableShape, settings: LegacySection) -> str:
    """Read the roles of Spatie's laravel-permission."""
    roles = settings.roles
    join = describe_table(connection, roles.join_table, key="legacy.roles.join_table")
    named = describe_table(connection, roles.table, key="legacy.roles.table")
    keys = [key for key in _KEYS if key in join.columns]
    rest = [name for name in join.columns if name not in {"role_id", "model_type", *keys}]
    known = {"role_id", "model_type"} <= {*join.columns} and {"id", "name"} <= {*named.columns}
    if not known or len(keys) != 1 or len(rest) > 1:
        raise UsageError(
            f"{join} and {named} are not laravel-permission's; {join} has: {', '.join(join.columns)}",
            hint='set join_table = "public.model_has_roles" under [legacy.roles] in migrator.toml',
        )
    return _query(
        "roles",
        join=join.relation,
        roles=named.relation,
        user=ident(keys[0]),
        id=f"u.{ident(MODEL.column(table, 'id', settings.columns))}",
        type=join.columns[keys[0]],
        model=literal(_model_type(connection, join, settings.model)),
        team="".join(
            _query("team", column=ident(name), team=literal(name.removesuffix("_id")))
            for name in rest
        ),
    )


def _model_type(connection: PostgresConnection, join: TableShape, model: str) -> str:
    """Give the name that Laravel writes for the user model beside its roles."""
    query = compose(load("migrator.legacy", "laravel.sql")["model_types"], join=join.relation)
    with wrapped("reading whose roles there are"):
        types = [str(name) for (name,) in connection.execute(query, {})]
    fitting = [name for name in types if model in {name, name.rpartition("\\")[2]}]
    if model in fitting or not types:
        return model
    if len(fitting) != 1:
        raise UsageError(
            f"{join} has roles of {', '.join(types)}; which of these is {model} cannot be told",
            hint="set legacy.model to the whole name; single quotes keep its backslashes",
        )
    return fitting[0]


def _own_roles(table: TableShape, column: str) -> str:
    kind = table.columns.get(column)
    if kind is None:
        raise UsageError(
            f"legacy.roles.column: {table} has no column {column}; it has: {', '.join(table.columns)}",
            hint="edit [legacy.roles] in migrator.toml",
        )
    place = f"u.{ident(column)}"
    if kind == "boolean":
        return flag_role(place, column)
    return _query("own_roles" if kind.endswith("[]") else "own_role", column=place)


def _identities(
    connection: PostgresConnection, table: TableShape, settings: LegacySection
) -> TableShape | None:
    """Look at where Socialite's guides keep sign-ins at providers; None where there are none."""
    linked = _linked_table(connection, settings)
    times = [name for name in _TIMES if linked and linked.columns.get(name) in TIME_TYPES]
    links = [_linked(linked, times, settings)] if linked else []
    links += _own_links(table, settings, times)
    if not links:
        return None
    query = " UNION ALL ".join(links)
    shape = describe_query(connection, query, key="identities", schema=table.schema)
    return replace(shape, name=str(linked or ""))


def _linked_table(connection: PostgresConnection, settings: LegacySection) -> TableShape | None:
    if not settings.identities_table:
        return None
    key = "legacy.identities_table"
    table = describe_table(connection, settings.identities_table, key=key)
    if not ("user_id" in table.columns and _first(table, _PROVIDERS) and _first(table, UIDS)):
        raise UsageError(
            f"{table} has not user_id, {' or '.join(_PROVIDERS)}, and {' or '.join(UIDS)};"
            f" it has: {', '.join(table.columns)}",
            hint=f'set {key} in migrator.toml, or "" to import no such sign-ins',
        )
    return table


def _first(table: TableShape, names: tuple[str, ...]) -> str:
    return next((name for name in names if name in table.columns), "")


def _linked(table: TableShape, times: Sequence[str], settings: LegacySection) -> str:
    return _query(
        "linked",
        provider=ident(_first(table, _PROVIDERS)),
        uid=ident(_first(table, UIDS)),
        times="".join(
            _query("time", time=_shown(table, "i", name, settings), column=ident(name))
            for name in times
        ),
        table=table.relation,
    )


def _own_links(table: TableShape, settings: LegacySection, times: Sequence[str]) -> Iterator[str]:
    key = ident(MODEL.column(table, "id", settings.columns))
    parts = {"id": key, "times": ", NULL" * len(times), "users": table.relation}
    own = {f"{driver}_id": literal(driver) for driver in _DRIVERS}
    for column, driver in own.items():
        if column in table.columns:
            yield _query("own_link", driver=driver, column=ident(column), **parts)
    if {"provider", "provider_id"} <= {*table.columns}:
        place = f"u.{ident('provider')}::text"
        yield _query("own_link", driver=place, column=ident("provider_id"), **parts)
