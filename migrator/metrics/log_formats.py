"""PostgreSQL's server log, line by line: jsonlog, csvlog, and stderr with SQLSTATEs in its prefix."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

# Refused, no such table, no such column, and a prepared statement that no longer fits its table.
UNFIT = "0A000"  # names no table when it was prepared by PREPARE
REFUSALS = frozenset({"42501", "42P01", "42703", UNFIT})
_IN_A_LINE = re.compile("|".join(REFUSALS))

_CSV_USER, _CSV_DATABASE, _CSV_STATE, _CSV_MESSAGE = 1, 2, 12, 13
_CSV_CONTEXT, _CSV_STATEMENT, _CSV_APPLICATION = 18, 19, 22


@dataclass(frozen=True)
class Entry:
    """A refused statement.

    Attributes:
        said: Message, context and statement: for looking names up, never to be shown.
    """

    sqlstate: str
    database: str
    client: str
    said: str


class Reader(Protocol):
    """Takes lines one by one."""

    def feed(self, line: str) -> Entry | None:
        """Take a line; give an entry when one is complete with it."""
        ...

    def end(self) -> Entry | None:
        """Give what is complete if nothing more comes for now."""
        ...

    @property
    def inside(self) -> bool:
        """Tell whether the line just fed ends in the middle of an entry."""
        ...


class JsonReader:
    """`log_destination = jsonlog`: an object a line."""

    inside = False

    def feed(self, line: str) -> Entry | None:
        """Take a line."""
        if not _IN_A_LINE.search(line):
            return None
        try:
            found = json.loads(line)
        except ValueError:
            return None
        if found.get("state_code") not in REFUSALS:
            return None
        said = (found.get(key, "") for key in ("message", "context", "statement"))
        return Entry(
            found["state_code"],
            found.get("dbname", ""),
            _client(found.get("user", ""), found.get("application_name", "")),
            "\n".join(said),
        )

    def end(self) -> Entry | None:
        """Nothing is ever left over."""
        return None


class CsvReader:
    """`log_destination = csvlog`: a statement may go over many lines, inside quotes."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._quotes = 0

    @property
    def inside(self) -> bool:
        """Tell whether a quote is open."""
        return self._quotes % 2 == 1

    def feed(self, line: str) -> Entry | None:
        """Take a line."""
        self._lines.append(line)
        self._quotes += line.count('"')
        if self.inside:
            return None
        text, self._lines, self._quotes = "".join(self._lines), [], 0
        return _csv_entry(text) if _IN_A_LINE.search(text) else None

    def end(self) -> Entry | None:
        """An open quote waits for the rest."""
        return None


def _csv_entry(text: str) -> Entry | None:
    fields = next(csv.reader(text.splitlines(keepends=True)), [])
    if len(fields) <= _CSV_APPLICATION or fields[_CSV_STATE] not in REFUSALS:
        return None
    said = (fields[place] for place in (_CSV_MESSAGE, _CSV_CONTEXT, _CSV_STATEMENT))
    client = _client(fields[_CSV_USER], fields[_CSV_APPLICATION])
    return Entry(fields[_CSV_STATE], fields[_CSV_DATABASE], client, "\n".join(said))


class StderrReader:
    """`log_destination = stderr`, or syslog's files: fields are where `log_line_prefix` puts them.

    Args:
        prefix: The server's `log_line_prefix`; it must have %e.
    """

    inside = False

    def __init__(self, prefix: str) -> None:
        self._line = re.compile(_pattern(prefix))
        self._open: Entry | None = None

    def feed(self, line: str) -> Entry | None:
        """Take a line; its entry is complete when the next one begins."""
        found = self._line.search(line)
        if found is None or found["severity"] in _PARTS:
            # A hint may name what was not asked for.
            if found is None or found["severity"] not in {"DETAIL", "HINT"}:
                self._more(line if found is None else found["said"])
            return None
        fields = found.groupdict()
        complete, self._open = self._open, None
        if fields["state"] in REFUSALS:
            client = _client(fields.get("user") or "", fields.get("application") or "")
            self._open = Entry(
                fields["state"], fields.get("database") or "", client, found["said"]
            )
        return complete

    def end(self) -> Entry | None:
        """Give the last entry: the server writes an entry with its statement at once."""
        complete, self._open = self._open, None
        return complete

    def _more(self, text: str) -> None:
        if self._open is not None:
            known = self._open
            self._open = Entry(known.sqlstate, known.database, known.client, known.said + text)


_PARTS = frozenset({"STATEMENT", "CONTEXT", "DETAIL", "HINT", "QUERY"})
_ESCAPES = {
    "a": "(?P<application>.*?)",
    "u": "(?P<user>.*?)",
    "d": "(?P<database>.*?)",
    "e": "(?P<state>[0-9A-Z]{5})",
    "%": "%",
    "q": "",
}


def _pattern(prefix: str) -> str:
    """Give a regular expression for lines that begin with a `log_line_prefix`."""
    parts, seen = [], set()
    for text, escape in re.findall(r"([^%]+)|%-?\d*(.)", prefix):
        again = escape in seen
        seen.add(escape)
        parts.append(re.escape(text) or (".*?" if again else _ESCAPES.get(escape, ".*?")))
    return "".join(parts) + r"(?P<severity>[A-Z]+\d?):\s+(?P<said>.*)"


def reader_for(path: str, prefix: str) -> Callable[[], Reader] | None:
    """Give the reader of a file by its name's end, None when nothing in it tells SQLSTATEs.

    Args:
        path: The file, or the pattern of files.
        prefix: The server's `log_line_prefix`.
    """
    if path.endswith(".json"):
        return JsonReader
    if path.endswith(".csv"):
        return CsvReader
    return (lambda: StderrReader(prefix)) if "%e" in prefix else None


def _client(user: str, application: str) -> str:
    return f"{user or 'unknown'} ({application or 'no application name'})"
