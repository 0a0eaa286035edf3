"""Where something was found in an application's files, whatever the framework."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.application.interface import Place, Sign

if TYPE_CHECKING:
    from collections.abc import Mapping

READS_HEADER = "reads the Authorization header"


@dataclass
class Places:
    """What was found so far, each place once.

    Attributes:
        users_table: Name of the users table, without a schema.
        path: The file that is being read.
    """

    users_table: str
    path: str = ""
    _signs: defaultdict[Sign, list[Place]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self._in_sql = _in_sql(self.users_table)

    def add(self, sign: Sign, place: Place) -> None:
        """Keep a place."""
        if place not in self._signs[sign]:
            self._signs[sign].append(place)

    def here(self, sign: Sign, line: int, what: str) -> None:
        """Keep a line of the file that is being read."""
        self.add(sign, Place(self.path, line, what))

    def sql(self, text: str, line: int) -> None:
        """Look for the users table in a text that begins on a line."""
        for found in self._in_sql.finditer(text):
            said = " ".join(found[0].split())
            self.here(Sign.USERS_IN_SQL, line + text.count("\n", 0, found.start()), said)

    def links(self, template: bytes, link: re.Pattern[bytes]) -> None:
        """Look for links to the login in a template."""
        for number, line in enumerate(template.splitlines(), 1):
            for found in link.findall(line):
                self.here(Sign.LOGIN_LINKS, number, found.decode(errors="replace"))

    def by_sign(self) -> Mapping[Sign, tuple[Place, ...]]:
        """Give all of them, in the order of the signs."""
        return {sign: tuple(self._signs[sign]) for sign in Sign if self._signs[sign]}


def _in_sql(table: str) -> re.Pattern[str]:
    """Give a pattern that finds a table's name where SQL expects a table."""
    name = re.escape(table)
    return re.compile(
        rf'\b(?:from|join|into|update|table|only)\s+(?:"?\w+"?\.)?["`]?{name}["`]?(?![\w.])',
        re.IGNORECASE,
    )
