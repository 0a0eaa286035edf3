"""libSQL's protocol over HTTP (`/v2/pipeline`, Hrana 2): requests as JSON, answers as rows. Pure."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.auther.ways.database import Each, Insert, InsertAlike

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.auther.ways.database import Run, Step

_CLOSE = {"type": "close"}


class SqlError(Exception):
    """A statement failed.

    Attributes:
        code: SQLite's name for it, e.g. `SQLITE_BUSY`; empty when the server gives none.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class HalfAnswerError(Exception):
    """The answer is not what the protocol says: cut off, or from something in between."""


@dataclass(frozen=True)
class Batch:
    """Statements of a transaction as one request, and where each group is among them.

    Attributes:
        commit: The place of the COMMIT.
        groups: The places of each group's steps.
    """

    request: dict[str, Any]
    commit: int
    groups: tuple[range, ...]


def body(*requests: dict[str, Any]) -> bytes:
    """Write requests as the body of one call, on a stream that ends with it."""
    whole = {"baton": None, "requests": [*requests, _CLOSE]}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def execute(question: Run) -> dict[str, Any]:
    """Write a question as a request."""
    statement = {"sql": question.sql, "args": [_encoded(value) for value in question.values]}
    return {"type": "execute", "stmt": statement}


def transaction(groups: Sequence[Sequence[Step]]) -> Batch:
    """Write groups of steps as one transaction, each of them in a savepoint when there are several.

    Every step waits for the one before it; when one fails, the server undoes its group by itself.
    """
    steps = [_plain("BEGIN IMMEDIATE")]
    places = []
    alone = len(groups) == 1
    for group in groups:
        if not alone:
            steps.append({**_plain("SAVEPOINT one"), "condition": _ok(0)})
        first, before = len(steps), len(steps) - 1
        for step in group:
            steps.append({"stmt": _statement(step), "condition": _ok(len(steps) - 1)})
        places.append(range(first, len(steps)))
        if not alone:
            undo = _both(_ok(before), _not_ok(len(steps) - 1))
            steps.append({**_plain("ROLLBACK TO one"), "condition": undo})
            steps.append({**_plain("RELEASE one"), "condition": _ok(before)})
    commit = len(steps)
    steps.append({**_plain("COMMIT"), "condition": _ok(commit - 1)})
    steps.append({**_plain("ROLLBACK"), "condition": _both(_ok(0), _not_ok(commit))})
    return Batch({"type": "batch", "batch": {"steps": steps}}, commit, tuple(places))


def results(answer: Any, *, expected: int) -> list[dict[str, Any]]:
    """Take an answer apart.

    Args:
        answer: As JSON.
        expected: How many requests were sent, the closing one not counted.

    Raises:
        SqlError: One of the requests failed.
        HalfAnswerError: Something else was answered.
    """
    found = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(found, list) or len(found) != expected + 1:
        raise HalfAnswerError("the answer is not complete")
    for result in found[:expected]:
        if result.get("type") != "ok":
            raise failure(result.get("error"))
    try:
        return [result["response"]["result"] for result in found[:expected]]
    except (KeyError, TypeError) as error:
        raise HalfAnswerError("the answer is not complete") from error


def rows(result: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Give the rows of a question's result.

    Raises:
        HalfAnswerError: A value is of no known type.
    """
    try:
        return [tuple([_decoded(value) for value in row]) for row in result["rows"]]
    except (KeyError, TypeError, ValueError) as error:
        raise HalfAnswerError("the answer holds something that is no row") from error


def failure(error: Any) -> SqlError:
    """Make an exception of what the server says of a failure."""
    said = error if isinstance(error, dict) else {}
    return SqlError(str(said.get("code") or ""), str(said.get("message") or "an unknown error"))


def _plain(sql: str) -> dict[str, Any]:
    return {"stmt": {"sql": sql}}


def _statement(step: Step) -> dict[str, Any]:
    if isinstance(step, InsertAlike):
        step = step.as_rows()
    if isinstance(step, Insert | Each):
        # One JSON text instead of a typed value for each column: a third of the time.
        values = json.dumps(step.rows, ensure_ascii=False, separators=(",", ":"))
        return {"sql": step.all_rows(), "args": [{"type": "text", "value": values}]}
    return {"sql": step.sql, "args": [_encoded(value) for value in step.values]}


def _ok(place: int) -> dict[str, Any]:
    return {"type": "ok", "step": place}


def _not_ok(place: int) -> dict[str, Any]:
    return {"type": "not", "cond": _ok(place)}


def _both(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"type": "and", "conds": list(conditions)}


def _encoded(value: Any) -> dict[str, Any]:
    if value is None:
        return {"type": "null"}
    if isinstance(value, str):
        return {"type": "text", "value": value}
    if isinstance(value, bytes):
        return {"type": "blob", "base64": base64.b64encode(value).decode()}
    if isinstance(value, float):
        return {"type": "float", "value": value}
    return {"type": "integer", "value": str(int(value))}


def _decoded(value: dict[str, Any]) -> Any:
    match value["type"]:
        case "text":
            return value["value"]
        case "integer":
            return int(value["value"])
        case "null":
            return None
        case "float":
            return float(value["value"])
        case "blob":
            text = value["base64"]
            return base64.b64decode(text + "=" * (-len(text) % 4))
        case unknown:
            raise ValueError(f"{unknown} is no type")
