"""Preflight looks at Auther through whichever way the import will take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrator.auther.ways.libsql import open_libsql
from migrator.auther.ways.sqlite import open_sqlite
from phases import p0_preflight
from tests.auther.plugin.door import ENVIRONMENT, SECRETS
from tests.auther.rows import row
from tests.phases.preflight_site import Site, make_site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from phases.p0_preflight import Report
    from tests.parts.better_auth import BetterAuth

TAKEN = row("stranger", email="member2@example.org")


@pytest.fixture
def site(tmp_path: Path, devise_db: str) -> Site:
    return make_site(tmp_path, devise_db)


def through(site: Site, kind: str, settings: str = "", after: str = "") -> Report:
    text = site.config_file.read_text()
    way = f'kind = "{kind}"\n{settings}'
    text = text.replace('database = "auther.db"\n', way + "\n")
    site.config_file.write_text(f"{text}\n{after}")
    return p0_preflight.run(site.context())


def test_a_libsql_server_is_looked_at(site: Site, sqld: str) -> None:
    report = through(site, "libsql", f'url = "{sqld}"')
    assert (report.findings.auther.schema, report.verdict.ready) == ("absent", True)
    with open_libsql(sqld, writing=True) as target:
        target.write([TAKEN])
    report = p0_preflight.run(site.context())
    found = report.findings
    assert (found.auther.schema, found.auther.file) == (
        "better-auth 1.3, or 1.7.3 and later",
        None,
    )
    assert found.auther.contents is not None
    assert (found.auther.contents.users, found.auther.contents.account_index) == (1, False)
    assert found.forecast is not None
    assert found.forecast.rejected["target_taken"] == 1


def test_a_server_that_is_away_is_a_blocker(site: Site) -> None:
    report = through(site, "libsql", 'url = "http://127.0.0.1:9"')
    assert [reason.code for reason in report.verdict.blockers] == ["auther_unreachable"]


def test_a_running_auther_is_looked_at_through_the_plugin(
    site: Site, better_auth: Callable[..., BetterAuth]
) -> None:
    path = site.root / "running.db"
    with open_sqlite(path) as target:
        target.write([TAKEN])
    server = better_auth(path, env=ENVIRONMENT)
    site.secret("import.secret", SECRETS["IMPORT"])
    report = through(
        site,
        "endpoint",
        f'base_url = "{server.base_url}"',
        '[plugin]\nimport_secret = "file:import.secret"',
    )
    found = report.findings
    assert found.auther.schema == "behind the plugin"
    assert found.auther.contents is not None
    assert (found.auther.contents.users, found.auther.contents.accounts) == (1, None)
    assert found.forecast is not None
    assert found.forecast.rejected["target_taken"] == 1
    site.secret("import.secret", "wrong" * 10)
    report = p0_preflight.run(site.context())
    assert "auther_schema" in [reason.code for reason in report.verdict.blockers]
    assert "does not know the secret" in report.verdict.blockers[0].text
