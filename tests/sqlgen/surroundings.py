"""Random schemas: random tables, and what else databases have around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from migrator.core.sql import ident
from tests.sqlgen.schemas import OURS, RandomColumn, RandomTable, sql_of, tables, users_columns
from tests.sqlgen.schemas import users_table as made_users

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Around:
    """Something beside the tables.

    Attributes:
        feature: For the count.
        sql: Makes it; `{users}`, `{column}` and `{table}` stand for what goes, or has something that goes.
        named: How a plan that is refused for it calls it; '' where it may stay.
        away: Takes it away.
        listed: A table that is to go too, until it was refused.
        ties: How a plan is refused for it that is to write the users table anew; '' where it is not.
    """

    feature: str
    sql: tuple[str, ...] = ()
    named: str = ""
    away: str = ""
    listed: str = ""
    ties: str = ""


VIEWS = (
    Around(""),
    Around(
        "views on views of what stays",
        (
            f"CREATE VIEW public.{OURS}seen AS SELECT id, email FROM {{users}}",
            f"CREATE VIEW public.{OURS}above AS SELECT email FROM public.{OURS}seen",
        ),
        ties=f"view public.{OURS}seen depends on it",
    ),
    Around(
        "views on views of a table that goes",
        (
            f"CREATE VIEW public.{OURS}seen AS SELECT * FROM {{table}}",
            f"CREATE VIEW public.{OURS}above AS SELECT * FROM public.{OURS}seen",
        ),
        f"view public.{OURS}seen",
        f"DROP VIEW public.{OURS}above, public.{OURS}seen",
    ),
    Around(
        "a view of a column that goes",
        (f"CREATE VIEW public.{OURS}seen AS SELECT {{column}} AS c FROM {{users}}",),
        f"view public.{OURS}seen",
        f"DROP VIEW public.{OURS}seen",
    ),
)
FUNCTIONS = (
    Around(""),
    Around(
        "functions in triggers and indexes",
        (
            f"CREATE FUNCTION public.{OURS}same() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            f"CREATE TRIGGER {OURS}row BEFORE INSERT OR UPDATE ON {{table}} FOR EACH ROW EXECUTE FUNCTION public.{OURS}same()",
            f"CREATE TRIGGER {OURS}row AFTER UPDATE OF email ON {{users}} FOR EACH ROW EXECUTE FUNCTION public.{OURS}same()",
            f"CREATE FUNCTION public.{OURS}text(anyelement) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN md5($1::text); END'",
            f"CREATE INDEX ON {{users}} (public.{OURS}text({{column}}))",
        ),
    ),
    Around(
        "a function of rows that go",
        (
            f"CREATE FUNCTION public.{OURS}row({{table}}) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        ),
        f"function public.{OURS}row",
        f"DROP FUNCTION public.{OURS}row",
    ),
)
_SLICED = (
    f"CREATE TABLE public.{OURS}sliced (id bigint PRIMARY KEY, t bigint{{refers}}) PARTITION BY RANGE (id)",
    f"CREATE TABLE public.{OURS}slice PARTITION OF public.{OURS}sliced FOR VALUES FROM (0) TO (100)",
    f"INSERT INTO public.{OURS}sliced VALUES (1, 1), (2, NULL)",
)
PARTITIONS = (
    Around(""),
    Around(
        "partitions that point to the users",
        tuple(line.replace("{refers}", " REFERENCES {users} (id)") for line in _SLICED),
        ties=f"of the partitioned table public.{OURS}sliced points to it",
    ),
    Around(
        "partitions that point to what goes",
        tuple(line.replace("{refers}", " REFERENCES {table} (id)") for line in _SLICED),
        f"of the partitioned table public.{OURS}sliced points to it",
        f"DROP TABLE public.{OURS}sliced",
    ),
    Around(
        "a partitioned table that is to go",
        tuple(line.replace("{refers}", "") for line in _SLICED),
        f"public.{OURS}sliced: it is partitioned",
        listed=f"public.{OURS}sliced",
    ),
)


@dataclass(frozen=True)
class RandomSchema:
    """Tables that go, columns of the users table that go, and what is around them."""

    columns: tuple[RandomColumn, ...]
    tables: tuple[RandomTable, ...]
    composite: bool
    around: tuple[Around, ...]
    in_order: bool

    @property
    def sql(self) -> str:
        """The statements that build it."""
        return ";\n".join(
            [*sql_of(self.users, self.tables), *(s for a in self.around for s in self._filled(a))]
        )

    @property
    def users(self) -> RandomTable:
        """The users table, which stays."""
        return made_users(self.columns, composite=self.composite)

    @property
    def listed(self) -> tuple[str, ...]:
        """Tables to go that cannot."""
        return tuple(around.listed for around in self.around if around.listed)

    @property
    def ties(self) -> tuple[str, ...]:
        """What a plan is refused for that is to write the users table anew."""
        return tuple(around.ties for around in self.around if around.ties)

    @property
    def in_the_way(self) -> tuple[Around, ...]:
        """What a plan is refused for."""
        return tuple(around for around in self.around if around.named)

    @property
    def features(self) -> Iterator[str]:
        """What it has that not every schema has."""
        yield from (around.feature for around in self.around if around.feature)
        if self.in_order:
            yield "columns in order" + (" refused" if self.ties else "")
        places = (self.users, *self.tables)
        names = [
            name for table in places for name in (table.name, *(c.name for c in table.columns))
        ]
        if any(not name.isidentifier() or name.lower() != name for name in names):
            yield "odd identifiers"
        if any(table.composite for table in places):
            yield "composite primary keys"
        for own, table in enumerate(self.tables, 1):
            for place, action in table.points_to:
                target = place % len(places)
                yield "self-references" if target == own else "keys"
                if "DEFERR" in action:
                    yield "deferred keys"
                if places[target].composite:
                    yield "composite keys"

    def _filled(self, around: Around) -> list[str]:
        parts = {
            "{users}": self.users.label,
            "{table}": self.tables[0].label,
            "{column}": ident(self.columns[0].name),
        }
        filled = list(around.sql)
        for placeholder, name in parts.items():
            filled = [line.replace(placeholder, name) for line in filled]
        return filled


schemas = st.builds(
    RandomSchema,
    users_columns,
    st.lists(tables, min_size=1, max_size=2, unique_by=lambda table: table.name).map(tuple),
    st.booleans(),
    st.tuples(*map(st.sampled_from, (VIEWS, FUNCTIONS, PARTITIONS))),
    st.booleans(),
)
