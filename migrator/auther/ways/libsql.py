"""Auther's database on a libSQL server, over HTTP."""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from migrator.auther.ways import hrana, schema
from migrator.auther.ways.calling import TIMEOUT, AgainError, Patience, call, patiently
from migrator.auther.ways.sql_target import SqlTarget
from migrator.auther.ways.sqlite_errors import words
from migrator.core.errors import DependencyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from migrator.auther.ways.database import Run, Step

T = TypeVar("T")
# The server ends a transaction after 5 s; so many users take a twentieth of that.
PAGE_ROWS = 2000
PIPELINE = "/v2/pipeline"
_CONSTRAINT = "SQLITE_CONSTRAINT"
_BUSY = frozenset({"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_BUSY_SNAPSHOT", "TRANSACTION_TIMEOUT"})


class LibsqlDatabase:
    """One server; every call is a stream of its own, so no transaction outlives its call."""

    def __init__(
        self,
        client: httpx.Client,
        name: str,
        *,
        writing: bool,
        patience: Patience,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self._client = client
        self._writing = writing
        self._patience = patience
        self._sleep = sleep

    def ask(self, *questions: Run) -> list[list[tuple[Any, ...]]]:  # noqa: D102
        body = hrana.body(*map(hrana.execute, questions))

        def once() -> list[list[tuple[Any, ...]]]:
            found = self._send(body, expected=len(questions))
            return [hrana.rows(result) for result in found]

        return self._patiently(once)

    def write(self, *groups: Sequence[Step]) -> list[list[int] | None]:  # noqa: D102
        if not self._writing:
            raise DependencyError(
                f"{self.name}: it may not be written", hint="migrator import run"
            )
        if not groups:
            return []
        batch = hrana.transaction(groups)
        body = hrana.body(batch.request)

        def once() -> list[list[int] | None]:
            return _outcomes(self._send(body, expected=1)[0], batch)

        return self._patiently(once)

    def _patiently(self, work: Callable[[], T]) -> T:
        def once() -> T:
            try:
                return work()
            except hrana.HalfAnswerError as error:
                raise AgainError(str(error)) from error
            except hrana.SqlError as error:
                if error.code in _BUSY:
                    raise AgainError(words(_number(error.code), str(error))[0]) from error
                raise

        try:
            return patiently(once, name=self.name, patience=self._patience, sleep=self._sleep)
        except hrana.SqlError as error:
            what, hint = words(_number(error.code), str(error))
            raise DependencyError(f"{self.name}: {what}", hint=hint) from error

    def _send(self, body: bytes, *, expected: int) -> list[dict[str, Any]]:
        request = self._client.build_request("POST", PIPELINE, content=body)
        return hrana.results(call(self._client, request, name=self.name), expected=expected)


def _outcomes(result: dict[str, Any], batch: hrana.Batch) -> list[list[int] | None]:
    try:
        steps, errors = result["step_results"], result["step_errors"]
        found = [_outcome(steps, errors, places) for places in batch.groups]
        if steps[batch.commit] is None and not (len(found) == 1 and found[0] is None):
            raise hrana.failure(errors[batch.commit] or errors[0])
    except (KeyError, IndexError, TypeError) as error:
        raise hrana.HalfAnswerError("the answer is not complete") from error
    return found


def _outcome(steps: list[Any], errors: list[Any], places: range) -> list[int] | None:
    failed = next((errors[place] for place in places if errors[place]), None)
    if failed is not None:
        error = hrana.failure(failed)
        if not error.code.startswith(_CONSTRAINT):
            raise error
        return None
    if errors[0]:
        raise hrana.failure(errors[0])
    return [int(steps[place]["affected_row_count"]) for place in places]


def _number(code: str) -> int:
    found = getattr(sqlite3, code, 0)
    return found if isinstance(found, int) else 0


@contextmanager
def open_libsql(
    url: str,
    *,
    token: str = "",
    writing: bool,
    account_issuers: Mapping[str, str] | None = None,
    patience: Patience | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[SqlTarget]:
    """Open Auther's database on a libSQL server; where it has no tables, make them.

    Args:
        url: Of the server, http or https.
        token: The bearer token; empty for a server that asks for none.
        writing: Otherwise nothing is ever written.
        account_issuers: Issuers by provider, for a database of better-auth 1.7.0 to 1.7.2.
        patience: How long a server that is away is waited for.
        sleep: Waits so many seconds.

    Raises:
        UsageError: There are no tables, and nothing is going to be written.
        RefusedError: The tables are of no known version of better-auth, or the token is wrong.
        DependencyError: The server does not answer.
    """
    with connect(
        url, token=token, writing=writing, patience=patience or Patience(), sleep=sleep
    ) as database:
        if schema.is_empty(database):
            if not writing:
                raise UsageError(f"{database.name} has no tables", hint="migrator import run")
            schema.create_tables(database)
        layout = schema.known_layout(database)
        yield SqlTarget(
            database, layout, account_issuers=account_issuers or {}, page_rows=PAGE_ROWS
        )


@contextmanager
def connect(
    url: str,
    *,
    token: str,
    writing: bool,
    patience: Patience,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[LibsqlDatabase]:
    """Make a connection to a libSQL server; nothing is sent yet."""
    # Compressed, an answer comes in tens of thousands of pieces, each of which costs time here.
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    name = f"the libSQL server {httpx.URL(url).host}"
    with httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT) as client:
        yield LibsqlDatabase(client, name, writing=writing, patience=patience, sleep=sleep)
