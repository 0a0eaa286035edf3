"""The whole import, there and back, through a libSQL server and through the plugin of a running Auther."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from migrator.auther.ways.libsql_server import LibsqlServer
from migrator.auther.ways.plugin_door import PluginDoor
from migrator.auther.ways.sqlite import open_sqlite
from migrator.config.load import load
from migrator.core.clock import ManualClock
from migrator.core.ids import mark_key
from migrator.core.progress import Progress
from migrator.runner.context import make_context
from migrator.runner.importing.proof import Answer
from migrator.runner.support.look_up import look_up
from phases import p1_import
from tests.auther.plugin.door import ENVIRONMENT, SECRETS
from tests.auther.rows import row
from tests.phases.importing import IMPORTED, NOW, PEPPER, PEPPER_ID, Site, make_site, oracle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from migrator.auther.interface import Way
    from tests.parts.better_auth import BetterAuth

IDENTITIES = "public.identities"
MARK = mark_key(b"k" * 40).hex()


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    return make_site(tmp_path, devise_db, monkeypatch, identities=IDENTITIES)


def through(site: Site, kind: str, settings: str, after: str = "") -> Site:
    """The same site with another way in."""
    file = site.root / "migrator.toml"
    text = file.read_text().replace('database = "auther.db"', f'kind = "{kind}"\n{settings}')
    file.write_text(f"{text}\n{after}")
    ctx = make_context(load(file), root=site.root, clock=ManualClock(NOW), progress=Progress())
    return replace(site, ctx=ctx)


def there_and_back(site: Site, way: Way, *, others: int) -> None:
    """Import, compare, import again, take out; users of others stay."""
    planned = p1_import.plan(site.ctx).counts.tally
    first = p1_import.run(site.ctx).counts.tally
    assert (planned.imported, planned.rejected) == (first.imported, first.rejected)
    assert first.read == 600
    assert first.imported == IMPORTED
    compared = p1_import.verify(site.ctx)
    assert compared.holds(), Counter(compared.by_kind)
    assert (compared.equal, compared.foreign) == (IMPORTED, others)
    second = p1_import.run(site.ctx).counts.tally
    assert (second.imported, second.already_there) == (0, IMPORTED)
    with way.opened(writing=False) as target:
        assert target.count_users() == IMPORTED + others
    assert p1_import.rollback(site.ctx).removed == IMPORTED
    with way.opened(writing=False) as target:
        assert target.count_users() == others


def signs_in(auther: BetterAuth) -> bool:
    """Tell that somebody whom Devise let in is let in by Auther as well."""
    one = next(r for r in oracle() if r["category"] == "plain")
    return auther.sign_in(one["email"], one["plaintext_password"]).status == 200


def test_a_libsql_server_gets_the_same_users_as_a_file(
    site: Site, sqld: str, better_auth: Callable[..., BetterAuth]
) -> None:
    site = through(site, "libsql", f'url = "{sqld}"')
    there_and_back(site, LibsqlServer(sqld), others=0)
    p1_import.run(site.ctx)
    env = {"DATABASE_URL": sqld}
    assert signs_in(better_auth(site.root / "no.db", peppers={PEPPER_ID: PEPPER}, env=env))


def test_a_running_auther_gets_the_same_users_through_its_plugin(
    site: Site, better_auth: Callable[..., BetterAuth]
) -> None:
    path = site.root / "running.db"
    with open_sqlite(path) as target:
        target.write([row("somebody")])
    env = {**ENVIRONMENT, "MIGRATOR_MARK": MARK, "PLUGIN_DATABASE": "1"}
    auther = better_auth(path, peppers={PEPPER_ID: PEPPER}, env=env)
    secret = site.root / "import.secret"
    secret.write_text(SECRETS["IMPORT"])
    secret.chmod(0o600)
    settings = f'base_url = "{auther.base_url}"'
    site = through(site, "endpoint", settings, '[plugin]\nimport_secret = "file:import.secret"')
    way = PluginDoor(f"{auther.base_url}/api/auth", secret=SECRETS["IMPORT"])
    there_and_back(site, way, others=1)
    assert len(list((site.root / ".migrator" / "snapshots").iterdir())) == 1
    p1_import.run(site.ctx)
    assert signs_in(auther)
    known = site.root / "known.csv"
    known.write_text("email,password\nsomebody@x.org,a password\n")
    known.chmod(0o600)
    proven = p1_import.prove(site.ctx, known, email_column="email", password_column="password")
    assert [proof.answer for proof in proven] == [Answer.WITHHELD]
    (person,) = look_up(site.ctx, "somebody@x.org")
    assert person.auther
    assert person.auther.credential.startswith("not shown")
