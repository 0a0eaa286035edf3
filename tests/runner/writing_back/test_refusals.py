"""Where nothing can be written back, that is said by name, before any database is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from migrator.core.errors import RefusedError, UsageError
from migrator.legacy.sources import SOURCES
from migrator.legacy.writable.registry import WRITABLE
from migrator.runner.writing_back.sides import open_tables
from tests.phases.test_p1_django import make

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.runner.context import Context


def of_kind(ctx: Context, kind: str) -> Context:
    legacy = ctx.config.legacy.model_copy(update={"kind": kind})
    return replace(ctx, config=ctx.config.model_copy(update={"legacy": legacy}))


@pytest.mark.parametrize("kind", sorted(SOURCES.keys() - WRITABLE.keys()))
def test_users_without_a_table_of_their_application(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    site = make(tmp_path, "postgresql://nowhere", monkeypatch, legacy="", settings="")
    with (
        pytest.raises(UsageError, match=f'"{kind}".*only with devise, django, laravel'),
        open_tables(of_kind(site.ctx, kind), writing=False),
    ):
        pass


@pytest.mark.parametrize(("scheme", "name"), [("mysql", "MariaDB"), ("sqlite", "SQLite")])
@pytest.mark.parametrize("kind", sorted(k for k, of in WRITABLE.items() if of.on_postgres_only))
def test_a_framework_elsewhere_than_on_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, scheme: str, name: str
) -> None:
    site = make(tmp_path, f"{scheme}://nowhere/shop", monkeypatch, legacy="", settings="")
    with (
        pytest.raises(RefusedError, match=f'"{kind}": the application.s database is {name}'),
        open_tables(of_kind(site.ctx, kind), writing=True),
    ):
        pass
