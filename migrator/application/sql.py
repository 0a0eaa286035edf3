"""A table's name in SQL texts."""

from __future__ import annotations

import re


def in_sql(table: str) -> re.Pattern[str]:
    """Give a pattern that finds a table's name where SQL expects a table."""
    name = re.escape(table)
    return re.compile(
        rf'\b(?:from|join|into|update|table|only)\s+(?:"?\w+"?\.)?["`]?{name}["`]?(?![\w.])',
        re.IGNORECASE,
    )
