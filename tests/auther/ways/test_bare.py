"""Bare rows are what the target reads, packed or not, whatever a value is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrator.auther.ways.bare import BareReader
from migrator.auther.ways.database import Run
from migrator.auther.ways.libsql import open_libsql
from tests.auther.rows import row

if TYPE_CHECKING:
    from migrator.auther.interface import Target

IDS = ["user1", "user2", "nobody"]


def check(target: Target) -> None:
    stored = target.read(IDS)
    found = BareReader(target).read(IDS)
    assert sorted(found.users) == sorted(s.user for s in stored.values())
    assert sorted(found.accounts) == sorted(a for s in stored.values() for a in s.accounts)
    assert len(found.users) == len(found.accounts) == 2


@pytest.mark.parametrize("value", ["'Ż\"\\\\ó'", "x'00ff'", "0.5"])
def test_a_libsql_server_gives_the_rows_in_one_text_or_one_by_one(sqld: str, value: str) -> None:
    with open_libsql(sqld, writing=True) as target:
        target.write([row("user1"), row("user2")])
        target.database.write([Run(f"UPDATE \"user\" SET name = {value} WHERE id = 'user1'")])
        check(target)
        if target.ensure_account_index():
            check(target)
