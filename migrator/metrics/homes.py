"""Counts the users in `migrator_identity` by home and by when they were last seen on which path."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from psycopg import errors, sql
from psycopg.rows import class_row

from migrator.config.postgres import lacks_table, reading
from migrator.core.durations import format_duration, parse_duration
from migrator.core.errors import MigratorError
from migrator.core.queries import load
from migrator.core.sql import ident
from migrator.metrics.both_sides import HomesLook
from migrator.metrics.interface import Doubt, Grade

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta
    from pathlib import Path

    import psycopg

    from migrator.config.secrets import SecretRef

APPLICATION_NAME = "migrator drain homes"
AGES = ("1h", "1d", "7d", "30d", "90d")
LONGER, NEVER = "longer", "never"
TABLE = "migrator_identity"


class _Group(NamedTuple):
    """Users who have everything in common; an age is a place in `AGES`, or None for never."""

    home: str
    is_pinned: bool
    is_seen: bool
    legacy_age: int | None
    auther_age: int | None
    users: int


@dataclass(frozen=True)
class Homes:
    """The side table in the application's database.

    Attributes:
        root: Folder that a `file:` reference starts from.
        schema: That of the users table.
        model: Whose users: the table holds those of several models.
        seen_within: For how long a user counts as seen.
        timeout: For the count.
    """

    dsn: SecretRef
    root: Path
    schema: str
    model: str
    seen_within: timedelta
    timeout: timedelta

    def look(self) -> HomesLook:
        """Count all users at once; when time is up, the planner's estimate is all there is."""
        try:
            with reading(
                self.dsn,
                self.root,
                TABLE,
                application_name=APPLICATION_NAME,
                statement_timeout=self.timeout,
            ) as connection:
                try:
                    return self._look_of(self._groups(connection))
                except errors.QueryCanceled:
                    connection.rollback()
                    return self._estimated(connection)
        except MigratorError as error:
            if lacks_table(error):
                reason = f"there is no table {TABLE} yet: migrator import run makes it"
                return HomesLook(doubts=(Doubt(Grade.UNPROVEN, reason),))
            return HomesLook(doubts=(Doubt(Grade.ERROR, error.message),))

    def _look_of(self, groups: list[_Group]) -> HomesLook:
        """Add the groups up; a table that knows nobody is no proof that nobody is left."""
        if groups:
            return _look_of(groups)
        reason = f"{TABLE} knows no {self.model}: migrator import run, or another [legacy] model"
        return HomesLook(doubts=(Doubt(Grade.NO_DATA, reason),))

    def _groups(self, connection: psycopg.Connection) -> list[_Group]:
        query = sql.SQL(_query("homes").decode()).format(
            identity=sql.SQL(ident(self.schema, TABLE))
        )
        asked = {
            "source": self.model,
            "within": self.seen_within,
            "ages_s": [parse_duration(age).total_seconds() for age in AGES],
        }
        with connection.cursor(row_factory=class_row(_Group)) as cursor:
            return cursor.execute(query, asked).fetchall()

    def _estimated(self, connection: psycopg.Connection) -> HomesLook:
        asked = {"identity": ident(self.schema, TABLE)}
        row = connection.execute(_query("estimate"), asked).fetchone()
        estimate = None if row is None or row[0] < 0 else int(row[0])
        about = "" if estimate is None else f", about {estimate:,} users"
        limit = format_duration(self.timeout)
        reason = f"{TABLE} was not counted in {limit}{about}: an estimate"
        return HomesLook(total_estimate=estimate, doubts=(Doubt(Grade.UNPROVEN, reason),))


def _query(name: str) -> bytes:
    return load("migrator.metrics", "homes.sql")[name].encode()


def _look_of(groups: Iterable[_Group]) -> HomesLook:
    homes: Counter[str] = Counter({"legacy": 0, "auther": 0})
    pinned = seen = 0
    legacy: Counter[str] = Counter(dict.fromkeys((*AGES, LONGER, NEVER), 0))
    auther = legacy.copy()
    for group in groups:
        homes[group.home] += group.users
        pinned += group.users if group.is_pinned else 0
        seen += group.users if group.is_seen else 0
        legacy[_age(group.legacy_age)] += group.users
        auther[_age(group.auther_age)] += group.users
    return HomesLook(
        homes=homes,
        pinned=pinned,
        seen_on_legacy=seen,
        last_legacy=legacy,
        last_auther=auther,
        total_estimate=homes.total(),
    )


def _age(place: int | None) -> str:
    return NEVER if place is None else (*AGES, LONGER)[place]
