"""Rows that have most values in common, written many at a time: the same rows, all or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrator.auther.interface import AccountRow, Alike, TargetChangedError, UserRow
from migrator.auther.ways.sqlite import open_existing, open_sqlite
from tests.auther.rows import row

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.auther.interface import Mapped


def alike(rows: list[Mapped]) -> tuple[Alike, Alike]:
    return (
        _alike(UserRow._fields, [row.user for row in rows]),
        _alike(AccountRow._fields, [row.accounts[0] for row in rows]),
    )


def _alike(columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> Alike:
    names = {"id", "name", "email", "account_id", "user_id"}.intersection(columns)
    varying = {name: [row[columns.index(name)] for row in rows] for name in names}
    same = {n: v for n, v in zip(columns, row_of(columns), strict=True) if n not in names}
    return Alike(columns, same, varying)


def row_of(columns: tuple[str, ...]) -> tuple[object, ...]:
    one = row("x")
    return one.user if columns == UserRow._fields else one.accounts[0]


def people(count: int) -> list[Mapped]:
    return [row(f"u{number:04}") for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, 24, 25, 276, 501])
def test_each_row_arrives(tmp_path: Path, count: int) -> None:
    rows = people(count)
    path = tmp_path / "auther.db"
    with open_sqlite(path) as target:
        target.write_rows([], [], alike=alike(rows))
    with open_existing(path) as target:
        found = target.read([one.pk for one in rows])
        assert target.count_users() == count
    assert {pk: (f.user, f.accounts) for pk, f in found.items()} == {
        one.pk: (one.user, one.accounts) for one in rows
    }


def test_as_rows_they_are_the_same() -> None:
    rows = people(3)
    users, accounts = alike(rows)
    assert users.rows() == [one.user for one in rows]
    assert accounts.rows() == [one.accounts[0] for one in rows]


def test_one_that_is_in_the_way_keeps_all_out_and_ones_own_do_not(tmp_path: Path) -> None:
    rows = people(300)
    with open_sqlite(tmp_path / "auther.db") as target:
        target.write([row("other", email=rows[299].user.email)])
        with pytest.raises(TargetChangedError):
            target.write_rows([], [], alike=alike(rows))
        assert target.count_users() == 1
        target.write_rows([], [], alike=alike(rows[:299]))
        target.write_rows([], [], alike=alike(rows[:299]))
        assert target.count_users() == 300
