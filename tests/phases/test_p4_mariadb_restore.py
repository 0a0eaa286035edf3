"""The archive of a MariaDB alone, brought into another database of that kind: the same definitions and rows, or none of it."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from migrator.archive.folder import alone
from migrator.core.mariadb import places_of
from migrator.sqlgen import steps
from phases import p4_remove
from tests.cli.command import Ran, migrator
from tests.phases.removal import flip_a_bit
from tests.phases.removal_elsewhere import ODD_TABLE, TABLES, Cut, Shop, make_shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from tests.parts.mariadb import MariaDbServer

pytestmark = pytest.mark.xdist_group("mariadb-removal")
TO_USERS = r",\n  CONSTRAINT `[^\n]+` FOREIGN KEY \(`user_id`\) REFERENCES `users`[^\n,]*"


@pytest.fixture
def made(
    tmp_path: Path, mariadb: MariaDbServer, mariadb_devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    def archived(**options: Any) -> Shop:
        shop = make_shop(tmp_path / "site", mariadb, mariadb_devise_db, monkeypatch, **options)
        p4_remove.plan(shop.site.ctx)
        p4_remove.run(shop.site.ctx, steps.ARCHIVE_TABLES)
        return shop

    yield archived
    for place in places_of(mariadb_devise_db.rpartition("/")[2]).all:
        mariadb.run(f"DROP DATABASE IF EXISTS `{place}`")


@pytest.fixture
def new(mariadb: MariaDbServer) -> Iterator[str]:
    """The DSN of a new, empty database."""
    with mariadb.temporary_database() as dsn:
        yield dsn


def restore(shop: Shop, folder: Path, dsn: str, *words: str) -> Ran:
    given = ["--from", str(folder), "--into", "env:NEW", "--identity", "file:archive.key", *words]
    return migrator(shop.site.root, "remove", "restore", *given, env={"NEW": dsn})


def archive_of(shop: Shop, to: Path) -> Path:
    """A copy of the files, as they lie anywhere."""
    return shutil.copytree(shop.site.archive(steps.ARCHIVE_TABLES), to)


def there(shop: Shop, dsn: str) -> Shop:
    """The same questions to another database."""
    return Shop(
        shop.site.__class__(shop.site.ctx, shop.site.root, dsn),
        shop.server,
        dsn.rpartition("/")[2],
    )


def test_definitions_rows_and_counters_come_back_and_what_does_not_is_named(
    made: Any, new: str, tmp_path: Path, mariadb: MariaDbServer
) -> None:
    shop = made()
    folder = archive_of(shop, tmp_path / "copy")
    # The tables themselves are not there any more.
    p4_remove.rollback(shop.site.ctx)
    before = shop.state()
    done = restore(shop, folder, new, "--sha256", alone(folder).content_hash, "--json")
    assert done.code == 0, done.err
    after = there(shop, new).state(tables=TABLES, users=False)
    for table in TABLES:
        definition, rows = before[table]
        assert after[table] == (re.sub(TO_USERS, "", definition), rows), table
    assert done.json["tables"] == {
        f"{shop.database}.{ODD_TABLE}": 39,
        f"{shop.database}.identities": 48,
    }
    said = done.json["exceptions"]
    assert [line for line in said if "foreign key odd" in line] == [
        f'not made: {shop.database}.{ODD_TABLE}: foreign key odd "user to {shop.database}.users'
    ]
    assert len(said) == 2
    again = restore(shop, folder, new, "--trust-folder")
    assert (again.code, 'there already: identities, odd "logins' in again.err) == (1, True)


def test_secrets_that_are_not_in_the_files_have_something_in_their_place(
    made: Any, new: str, tmp_path: Path
) -> None:
    shop = made(include_secrets=False)
    folder = archive_of(shop, tmp_path / "copy")
    done = restore(shop, folder, new, "--trust-folder", "--json")
    assert done.code == 0, done.err
    assert any("reset_token: its values are secrets" in line for line in done.json["exceptions"])
    tokens = [token for (token,) in there(shop, new).sql(f"SELECT reset_token FROM `{ODD_TABLE}`")]
    assert len(set(tokens)) == 39
    p4_remove.rollback(shop.site.ctx)
    definition = there(shop, new).state(users=False)[ODD_TABLE][0]
    assert definition == re.sub(TO_USERS, "", shop.state()[ODD_TABLE][0])


def test_cut_off_at_any_statement_nothing_is_there_and_the_same_command_begins_anew(
    made: Any, new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = made()
    folder = archive_of(shop, tmp_path / "copy")
    cut = Cut(monkeypatch)
    other = there(shop, new)
    while (done := restore(shop, folder, new, "--trust-folder")).code == 4:
        assert len(other.sql("SHOW TABLES")) in {0, len(TABLES)}
    # It was cut off after the end as well.
    assert (done.code, "there already" in done.err) == (1, True)
    assert cut.cuts >= 6
    assert other.left() == []
    monkeypatch.undo()
    other.sql("DROP TABLE identities")
    other.sql(f"DROP TABLE `{ODD_TABLE}`")
    assert restore(shop, folder, new, "--trust-folder").code == 0


def test_only_files_that_are_known_and_whole_go_into_a_database_of_their_kind(
    made: Any, new: str, tmp_path: Path
) -> None:
    shop = made()
    folder = archive_of(shop, tmp_path / "copy")
    unknown = restore(shop, folder, new)
    assert (unknown.code, "--trust-folder" in unknown.err) == (2, True)
    other_hash = restore(shop, folder, new, "--sha256", "0" * 64)
    assert (other_hash.code, "is no manifest with a hash that was given" in other_hash.err) == (
        1,
        True,
    )
    elsewhere = restore(shop, folder, "postgresql://nowhere", "--trust-folder")
    assert (elsewhere.code, "it holds MariaDB's SQL" in elsewhere.err) == (1, True)
    flip_a_bit(next(folder.glob("t001-c*")))
    assert restore(shop, folder, new, "--trust-folder").code == 1
    assert there(shop, new).sql("SHOW TABLES") == []
