"""The client's row is written as it was read: whoever changes it meanwhile loses nothing."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from migrator.auther.live.client import Client, compare, repair
from migrator.auther.ways.database import Run
from migrator.auther.ways.libsql import open_libsql
from migrator.auther.ways.sqlite import open_sqlite
from migrator.core.errors import RefusedError
from tests.auther.rows import row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrator.auther.ways.database import Database

WANTED = Client("shop", "shop", ("https://shop.example/callback",))
AS_MADE_BY_HAND = (
    "INSERT INTO oauth_application (id, name, client_id, redirect_ur_ls, type, disabled, metadata)"
    " VALUES ('x', 'Our shop', 'shop', 'https://other.example', 'spa', 1, '{}')"
)
CHANGES = (
    "name = 'Renamed'",
    "name = NULL",
    "redirect_ur_ls = 'https://new.example'",
    "redirect_ur_ls = NULL",
    "type = 'public'",
    "type = NULL",
    "disabled = 0",
    "disabled = NULL",
    "client_secret = 's3cret'",
    """metadata = '{"of": "somebody"}'""",
    "metadata = NULL",
    "updated_at = 7",
)


@pytest.fixture(params=["sqlite", "libsql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            target = stack.enter_context(open_sqlite(tmp_path / "auther.db"))
        else:
            url = request.getfixturevalue("sqld")
            target = stack.enter_context(open_libsql(url, writing=True))
        # The tables come with the first user.
        target.write([row("ada")])
        yield target.database


def there(database: Database) -> list[tuple[Any, ...]]:
    return database.ask(Run("SELECT * FROM oauth_application"))[0]


def test_no_change_between_look_and_write_is_lost(database: Database) -> None:
    for change in CHANGES:
        database.write([Run("DELETE FROM oauth_application")], [Run(AS_MADE_BY_HAND)])
        needed = compare(database, WANTED)
        database.write([Run(f"UPDATE oauth_application SET {change}")])
        before = there(database)

        with pytest.raises(RefusedError, match=r"nothing was written") as refused:
            repair(database, needed, now_ms=1)

        assert refused.value.hint == "migrator auther client ensure"
        assert there(database) == before, change


def test_a_row_that_went_or_came_meanwhile_stays_so(database: Database) -> None:
    to_make = compare(database, WANTED)
    database.write([Run(AS_MADE_BY_HAND)])
    to_mend, before = compare(database, WANTED), there(database)
    with pytest.raises(RefusedError, match="nothing was written"):
        repair(database, to_make, now_ms=1)
    assert there(database) == before

    database.write([Run("DELETE FROM oauth_application")])
    with pytest.raises(RefusedError, match="nothing was written"):
        repair(database, to_mend, now_ms=1)
    assert there(database) == []


def test_the_same_repair_by_another_run_is_no_conflict(database: Database) -> None:
    """Also what a server sees that was asked twice, since an answer was lost."""
    for number, prepare in enumerate(("DELETE FROM oauth_application", AS_MADE_BY_HAND)):
        database.write([Run(prepare)])
        needed = compare(database, WANTED)
        repair(database, needed, now_ms=number)
        done = there(database)
        repair(database, needed, now_ms=5)
        assert there(database) == done
        assert compare(database, WANTED).differences == ()
        database.write([Run("DELETE FROM oauth_application")])
