from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from migrator.config.postgres import connect, driver_errors
from migrator.config.secrets import SecretRef
from migrator.core.errors import DependencyError, UsageError

DSN = SecretRef("env", "APP_DSN")


def test_a_connection_is_named_limited_and_read_only(
    fresh_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_DSN", fresh_db)
    with connect(
        DSN, Path(), application_name="m test", statement_timeout=timedelta(seconds=3)
    ) as connection:
        shown = connection.execute(
            "SELECT current_setting('application_name'), current_setting('statement_timeout'),"
            " current_setting('TimeZone')"
        ).fetchone()
        assert shown == ("m test", "3s", "UTC")
        with pytest.raises(errors.ReadOnlySqlTransaction):
            connection.execute("CREATE TABLE t (a int)")


def test_writing_is_asked_for(fresh_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_DSN", fresh_db)
    with connect(DSN, Path(), application_name="m", read_only=False) as connection:
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
    with pytest.raises(error, match="env:APP_DSN") as raised:
        connect(DSN, Path(), application_name="m")
    assert "hunter2" not in str(raised.value)


def test_driver_errors_become_one_line_of_ours(fresh_db: str) -> None:
    found = pytest.raises(DependencyError, match=r'^counting: relation "none" does not exist$')
    with psycopg.connect(fresh_db) as connection, found, driver_errors("counting"):
        connection.execute("SELECT * FROM none")
