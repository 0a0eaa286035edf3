from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from psycopg import errors

from migrator.config.postgres import lacks_table, reading
from migrator.config.secrets import SecretRef
from migrator.core.errors import DependencyError, UsageError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import psycopg

DSN = SecretRef("env", "APP_DSN")


def look(what: str = "sessions") -> AbstractContextManager[psycopg.Connection]:
    limit = timedelta(seconds=3)
    return reading(DSN, Path(), what, application_name="m test", statement_timeout=limit)


def test_a_connection_is_named_limited_and_read_only(
    fresh_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_DSN", fresh_db)
    with look() as connection:
        shown = connection.execute(
            "SELECT current_setting('application_name'), current_setting('statement_timeout'),"
            " current_setting('TimeZone')"
        ).fetchone()
        assert shown == ("m test", "3s", "UTC")
        with pytest.raises(errors.ReadOnlySqlTransaction):
            connection.execute("CREATE TABLE t (a int)")


@pytest.mark.parametrize(
    ("dsn", "error"),
    [
        ("postgresql://app:hunter2@127.0.0.1:9/none", DependencyError),
        ("postgresql://app:hunter2@[broken", UsageError),
        ("hunter2", UsageError),
    ],
)
def test_what_goes_wrong_is_said_without_the_password(
    monkeypatch: pytest.MonkeyPatch, dsn: str, error: type[Exception]
) -> None:
    monkeypatch.setenv("APP_DSN", dsn)
    with pytest.raises(error, match="env:APP_DSN") as raised, look():
        pass
    assert "hunter2" not in str(raised.value)


def test_driver_errors_become_one_line_of_ours(
    fresh_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_DSN", fresh_db)
    found = pytest.raises(DependencyError, match=r'^counting: relation "none" does not exist$')
    with found as raised, look("counting") as connection:
        connection.execute("SELECT * FROM none")
    assert lacks_table(raised.value)


def test_an_error_of_another_kind_lacks_no_table(
    fresh_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_DSN", fresh_db)
    with pytest.raises(DependencyError) as raised, look() as connection:
        connection.execute("SELECT 1 / 0")
    assert not lacks_table(raised.value)
