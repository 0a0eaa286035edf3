"""The raw ceiling of a libSQL server: ready-made rows by multi-row VALUES, typed values, over one connection."""

from __future__ import annotations

import itertools
import json
import time
from typing import TYPE_CHECKING, Any

import httpx

from migrator.auther.interface import AccountRow, UserRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Rows = list[tuple[Any, ...]]
SIZES = (500, 1000, 2000)
TIMEOUT_S = 120


def write(url: str, users: Rows, accounts: Rows, *, size: int) -> float:
    """Write users and accounts into empty tables, so many rows of each a transaction.

    Returns:
        The seconds that it took.
    """
    tables = {"user": (UserRow._fields, users), "account": (AccountRow._fields, accounts)}
    with httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False) as client:
        began = time.perf_counter()
        for start in range(0, max(len(users), len(accounts)), size):
            inserts = [
                _insert(table, columns, rows[start : start + size])
                for table, (columns, rows) in tables.items()
            ]
            _send(client, inserts)
        return time.perf_counter() - began


def _insert(table: str, columns: Sequence[str], rows: Rows) -> dict[str, Any]:
    places = f"({', '.join('?' * len(columns))})"
    values = ", ".join(itertools.repeat(places, len(rows)))
    sql = f'INSERT INTO "{table}" ({", ".join(columns)}) VALUES {values}'
    return {"sql": sql, "args": list(_typed(rows)), "want_rows": False}


def _typed(rows: Rows) -> Iterator[dict[str, Any]]:
    for row in rows:
        for value in row:
            if value is None:
                yield {"type": "null"}
            elif isinstance(value, str):
                yield {"type": "text", "value": value}
            else:
                yield {"type": "integer", "value": str(value)}


def _send(client: httpx.Client, statements: list[dict[str, Any]]) -> None:
    whole = [{"sql": "BEGIN IMMEDIATE"}, *statements, {"sql": "COMMIT"}]
    steps: list[dict[str, Any]] = [{"stmt": statement} for statement in whole]
    for place, step in enumerate(steps[1:]):
        step["condition"] = {"type": "ok", "step": place}
    requests = [{"type": "batch", "batch": {"steps": steps}}, {"type": "close"}]
    body = json.dumps({"requests": requests}, ensure_ascii=False, separators=(",", ":")).encode()
    answer = client.post("/v2/pipeline", content=body)
    result = answer.raise_for_status().json()["results"][0]["response"]["result"]
    assert not any(result["step_errors"]), result["step_errors"]
