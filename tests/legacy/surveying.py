"""A survey of a test database, and the oracle that says what it must find."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from migrator.config.model import LegacySection
from migrator.legacy.connect import open_database
from migrator.legacy.devise import open_devise
from migrator.legacy.survey import survey
from tests.parts.dump import DATA

if TYPE_CHECKING:
    from migrator.legacy.findings import LegacySurvey

# Fifteen minutes after the users of `locked_now` were locked.
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
UNLOCK_IN = timedelta(hours=1)


def oracle() -> list[dict[str, str]]:
    with (DATA / "devise_600_plaintext.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def categories() -> Counter[str]:
    return Counter(row["category"] for row in oracle())


def surveyed(
    dsn: str,
    *,
    unlock_in: timedelta | None = UNLOCK_IN,
    now: datetime = NOW,
    **settings: Any,
) -> LegacySurvey:
    legacy = LegacySection.model_validate({"dsn": "env:UNUSED", **settings})
    with open_devise(dsn, legacy) as source, open_database(dsn) as connection:
        return survey(connection, legacy, source=source, unlock_in=unlock_in, now=now)
