"""The plugin's endpoints on a real better-auth, as a way in like any other."""

from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bcrypt
import pytest

from migrator.auther.interface import (
    CREDENTIAL,
    AccountRow,
    Change,
    Mapped,
    Stored,
    TargetChangedError,
)
from migrator.auther.ways.calling import Patience
from migrator.auther.ways.endpoint import open_endpoint
from migrator.auther.ways.pages import MOST_BYTES, pages_within
from migrator.auther.ways.plugin_door import PluginDoor
from migrator.core.envelope import Envelope
from migrator.core.errors import DependencyError, RefusedError, UsageError
from migrator.core.ids import account_id
from tests.auther.plugin.door import ENVIRONMENT, MARK, SECRETS
from tests.auther.rows import row as plain_row
from tests.parts import require
from tests.parts.better_auth import BetterAuth, start
from tests.parts.faulty_wire import Fault, FaultyHttp, Planned

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrator.auther.ways.endpoint import EndpointTarget

SECRET = SECRETS["IMPORT"]
QUICK = Patience(total_s=20, first_s=0.01, most_s=0.5)
_numbers = itertools.count(1)


@dataclass
class Site:
    """A running Auther."""

    auther: BetterAuth
    path: Path

    @property
    def api(self) -> str:
        return f"{self.auther.base_url}/api/auth"

    def sql(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path, timeout=10)) as connection, connection:
            return connection.execute(query, values).fetchall()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    require("node")
    path = tmp_path_factory.mktemp("endpoint") / "auther.db"
    with start(path, env={**ENVIRONMENT, "PLUGIN_DATABASE": "1"}, rate_limit=True) as running:
        yield Site(running, path)


@pytest.fixture
def target(site: Site) -> Iterator[EndpointTarget]:
    with open_endpoint(site.api, secret=SECRET, patience=QUICK) as opened:
        yield opened


def row(*providers: str, name: str = "", username: str | None = None, **columns: Any) -> Mapped:
    """A user of this migration, with a password and accounts at providers."""
    name = name or f"person{next(_numbers)}"
    user = plain_row(name, username=username).user._replace(**columns)
    accounts = [account(name, CREDENTIAL, name, password="value")]
    accounts += [account(name, provider, f"{provider}-{name}") for provider in providers]
    return Mapped(name, user, tuple(accounts), None, None, ())


def account(owner: str, provider: str, subject: str, password: str | None = None) -> AccountRow:
    key = account_id(MARK, owner=owner, provider=provider, subject=subject)
    return AccountRow(key, subject, provider, owner, password, 1, 2)


def stored(wanted: Mapped) -> Stored:
    return Stored(wanted.user, tuple(sorted(wanted.accounts)))


def test_what_is_written_is_read_found_counted_listed_and_removed(
    site: Site, target: EndpointTarget
) -> None:
    before = target.count_users()
    ada, bob = row("github", username="ada_l"), row()._replace(accounts=())
    target.write([ada, bob])
    assert target.read([ada.pk, bob.pk, "nobody"]) == {ada.pk: stored(ada), bob.pk: stored(bob)}
    assert target.count_users() == before + 2
    assert {ada.pk, bob.pk} <= {one for page in target.user_ids(rows=1) for one in page}
    assert target.owners([ada.user.email, "no@x.org"]) == {ada.user.email: ada.pk}
    eve = row("github", email=ada.user.email, username="ada_l")
    eve = eve._replace(accounts=(eve.accounts[0], ada.accounts[1]._replace(user_id=eve.pk)))
    found = target.find([ada, eve])
    assert (found.ids, found.emails) == ({ada.pk}, {ada.user.email: ada.pk})
    assert found.usernames == {"ada_l": ada.pk}
    assert found.subjects == {("github", f"github-{ada.pk}"): ada.pk}
    site.sql(
        "INSERT INTO session (id, expires_at, token, created_at, updated_at, user_id)"
        " VALUES (?, 1, ?, 1, 1, ?)",
        *(ada.pk, ada.pk, ada.pk),
    )
    assert target.tables_in_use([ada.pk, bob.pk]) == {ada.pk: ["session"]}
    assert target.remove([ada.pk, bob.pk, "nobody"]) == 2
    assert target.count_users() == before
    assert not target.ensure_account_index()


def test_an_imported_user_signs_in(site: Site, target: EndpointTarget) -> None:
    hashed = bcrypt.hashpw(b"correct horse", bcrypt.gensalt(4)).decode()
    envelope = Envelope("bcrypt", hashed, ("none",)).encode()
    ada = row()
    target.write([ada._replace(accounts=(ada.accounts[0]._replace(password=envelope),))])
    assert site.auther.sign_in(ada.user.email, "correct horse").user_id == ada.pk


@pytest.mark.parametrize("clash", ["email", "username", "id"])
def test_a_page_that_meets_somebody_else_is_counted_once_when_it_is_written_again(
    site: Site, target: EndpointTarget, clash: str
) -> None:
    ada, bob, cid = row(), row(username=f"bob_{clash}"), row()
    stranger = {"id": bob.pk, "email": bob.user.email, "username": bob.user.username}
    values = {"id": f"x-{bob.pk}", "email": f"x-{bob.pk}@x.org", "username": None}
    values[clash] = stranger[clash]
    site.sql(
        "INSERT INTO user (id, name, email, username, email_verified, created_at, updated_at)"
        " VALUES (:id, 'x', :email, :username, 1, 1, 1)".replace(":id", "?")
        .replace(":email", "?")
        .replace(":username", "?"),
        *values.values(),
    )
    with pytest.raises(TargetChangedError):
        target.write([ada, bob, cid])
    assert target.find([ada, bob, cid]).ids == ({bob.pk} if clash == "id" else set())
    target.write([ada, cid])
    assert target.find([ada, cid]).ids == {ada.pk, cid.pk}


def test_a_change_is_made_only_while_nobody_else_touched_the_user(
    site: Site, target: EndpointTarget
) -> None:
    ada, bob, cid = row(), row(), row()
    target.write([ada, bob, cid])
    site.sql("UPDATE user SET name = 'Bobby' WHERE id = ?", bob.pk)
    new = account(ada.pk, "github", f"new-{ada.pk}")
    changes = [
        Change(stored(ada), ada.user._replace(name="Ada L"), (*ada.accounts, new)),
        Change(stored(bob), bob.user._replace(name="x"), bob.accounts),
        Change(stored(cid), None, ()),
    ]
    assert target.change(changes) == [bob.pk]
    assert target.change([changes[0], changes[2]]) == []
    after = target.read([ada.pk, bob.pk, cid.pk])
    assert after[ada.pk] == Stored(
        ada.user._replace(name="Ada L"), tuple(sorted((*ada.accounts, new)))
    )
    assert after[bob.pk].user.name == "Bobby"
    assert cid.pk not in after


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.SLOW])
def test_a_request_that_fails_is_repeated_and_nothing_happens_twice(
    site: Site, fault: Fault
) -> None:
    ada, bob = row(), row()
    # Opening counts; then upsert, read, change, find, remove and find again, each struck once.
    planned = [Planned(number, fault, seconds=0.2) for number in range(1, 12, 2)]
    with (
        FaultyHttp(site.auther.base_url, planned) as proxy,
        open_endpoint(f"{proxy.base_url}/api/auth", secret=SECRET, patience=QUICK) as target,
    ):
        before = target.count_users()
        target.write([ada, bob])
        there = target.read([ada.pk])[ada.pk]
        change = Change(there, there.user._replace(name="Ada L"), there.accounts)
        assert target.change([change]) == []
        assert target.remove([bob.pk]) == 1
        assert proxy.happened
        assert set(proxy.happened) == {fault}
        assert target.read([ada.pk, bob.pk])[ada.pk].user.name == "Ada L"
        assert target.count_users() == before + 1


def test_another_migrations_users_are_refused(target: EndpointTarget) -> None:
    foreign = row()
    foreign = foreign._replace(accounts=(foreign.accounts[0]._replace(id="of-another-key"),))
    with pytest.raises(RefusedError, match=r"refused 1 users.*MIGRATOR_MARK") as caught:
        target.write([foreign])
    assert "migrator import plugin" in caught.value.hint


def test_a_wrong_secret_and_a_missing_plugin_are_told_apart(site: Site) -> None:
    with (
        pytest.raises(RefusedError, match="does not know the secret") as caught,
        open_endpoint(site.api, secret="wrong"),
    ):
        pass
    assert "wrong" not in f"{caught.value.message}{caught.value.hint}"
    with (
        pytest.raises(RefusedError, match="no endpoints for imports"),
        open_endpoint(f"{site.auther.base_url}/elsewhere", secret=SECRET),
    ):
        pass


def test_an_auther_that_stays_away_is_named() -> None:
    hurried = Patience(total_s=0.2, first_s=0.01, most_s=0.05)
    with (
        pytest.raises(DependencyError, match="no answer"),
        open_endpoint("http://127.0.0.1:9/api/auth", secret=SECRET, patience=hurried),
    ):
        pass


def test_a_secret_never_leaves_the_machine_in_clear() -> None:
    with pytest.raises(UsageError, match="unencrypted"):
        PluginDoor("http://auth.example.org/api/auth", secret=SECRET)


def test_requests_stay_within_what_the_plugin_takes() -> None:
    texts = [b"x" * 100] * 2500 + [b"y" * (MOST_BYTES // 2)] * 3 + [b"z" * (2 * MOST_BYTES)]
    pages = list(pages_within(texts, lambda text: text))
    assert [item for page in pages for item in page.items] == texts
    assert [len(page.items) for page in pages] == [1000, 1000, 501, 1, 1, 1]
