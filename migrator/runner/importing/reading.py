"""Reads pages of users and maps those with nothing special about them: here, or in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from migrator.auther.mapping.plain import Columns, PlainMapper
from migrator.legacy.connect import open_database
from migrator.legacy.identity import plain_claims
from migrator.legacy.parted import PartedReader
from migrator.legacy.reading import LineReader, Lines, PageQueries

if TYPE_CHECKING:
    from collections.abc import Generator

    from migrator.auther.mapping.rules import Rules
    from migrator.legacy.interface import TableShape
    from migrator.legacy.parted import Parted


@dataclass(frozen=True)
class Job:
    """What to read and how to map it; can be sent to another process.

    Attributes:
        rows: Users a page.
        mapper: None where everybody has to be mapped by `to_rows` itself.
        apart: Keys and addresses of those who have to be.
        claimed_beside: The users' table, where a process of its own writes those whom it mapped down
            as ours before it hands them over; None where nothing may be written.
    """

    dsn: str = field(repr=False)
    queries: PageQueries
    rows: int
    mapper: PlainMapper | None
    apart: frozenset[str]
    claimed_beside: TableShape | None = None

    @classmethod
    def of(
        cls,
        dsn: str,
        queries: PageQueries,
        rules: Rules,
        *,
        rows: int,
        claimed_beside: TableShape | None = None,
    ) -> Job:
        """Make out a job that follows the rules."""
        mapper = None if rules.apart is None else PlainMapper.under(rules)
        return cls(dsn, queries, rows, mapper, rules.apart or frozenset(), claimed_beside)


class Ready(NamedTuple):
    """A page as it is handed over: plain data, cheap to send.

    Attributes:
        claims: Lines for `migrator_identity`, one for each plain user.
        columns: The plain users.
        places: Where in the page the others are.
        others: Their lines, with the identities and roles that belong to them.
        claimed: The claims are in the table.
    """

    claims: bytes
    columns: Columns
    places: list[int]
    others: Lines
    claimed: bool = False


def read_pages(job: Job) -> Generator[Ready]:
    """Do a job.

    Raises:
        DependencyError: The application's database cannot be reached, or failed.
    """
    with open_database(job.dsn) as connection:
        connection.read_any_bytes()
        if job.mapper is None:
            for lines in LineReader(connection, job.queries).pages(rows=job.rows):
                yield Ready(b"", Columns.empty(), [*range(len(lines.users))], lines)
            return
        for page in PartedReader(connection, job.queries, apart=job.apart).pages(rows=job.rows):
            yield _make_ready(page, job.mapper)


def _make_ready(page: Parted, mapper: PlainMapper) -> Ready:
    columns = mapper.columns(page.plain)
    claims = plain_claims(mapper.source, page.plain.pks, columns.ids, page.plain.prints)
    return Ready(claims, columns, page.places, page.others)
