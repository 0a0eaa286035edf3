from __future__ import annotations

from typing import Any

import pytest

from migrator.legacy.connect import open_database

TEXTS = [
    ["1", "22"],
    ["ada@example.org", "b.c+d-e_f"],
    ["null", "NuLL", "nullable"],
    ["a\nb", "c"],
    ["a,b", "{c}", 'd"e', "f\\g", "h i", "ż"],
    ["a", ""],
    [""],
    ["a", None],
    [],
]


@pytest.mark.parametrize("texts", TEXTS, ids=repr)
def test_texts_arrive_as_they_are(fresh_db: str, texts: list[Any]) -> None:
    with open_database(fresh_db) as connection:
        asked = {"texts": texts}
        row = connection.execute(b"SELECT CAST(%(texts)s AS text[])", asked).fetchone()
        assert row == (texts,)


def test_numbers_arrive_as_they_are(fresh_db: str) -> None:
    with open_database(fresh_db) as connection:
        for numbers in ([1, -2, 2**62], [3], [True, False]):
            query = b"SELECT %(numbers)s"
            assert connection.execute(query, {"numbers": numbers}).fetchone() == (numbers,)
