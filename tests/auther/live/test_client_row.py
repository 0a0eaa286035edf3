"""The client's row and consents by each way in: a change of somebody else's is never lost."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from migrator.auther.interface import CREDENTIAL
from migrator.auther.live.client.database import DatabaseRows
from migrator.auther.live.client.endpoint import open_client
from migrator.auther.live.client.interface import Client
from migrator.auther.live.client.repair import compare, repair
from migrator.auther.ways.calling import Patience
from migrator.auther.ways.database import Run
from migrator.auther.ways.libsql import open_libsql
from migrator.auther.ways.sqlite import open_sqlite
from migrator.core.errors import RefusedError
from migrator.core.ids import account_id, mark_key
from tests.auther.plugin.door import MARK, SECRETS
from tests.auther.rows import row as row_of
from tests.parts.faulty_wire import Fault, FaultyHttp, Planned

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrator.auther.interface import Mapped
    from migrator.auther.live.client.interface import ClientRows
    from migrator.auther.ways.sql_target import SqlTarget
    from tests.auther.live.conftest import Server

pytestmark = pytest.mark.xdist_group("auther-client")

QUICK = Patience(total_s=20, first_s=0.01, most_s=0.5)
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
    "updated_at = CURRENT_TIMESTAMP",
)


@dataclass
class Place:
    """Auther's database, and the rows by the way in that is tried."""

    target: SqlTarget
    rows: ClientRows

    def sql(self, statement: str) -> None:
        self.target.database.write([Run(statement)])

    def there(self, table: str = "oauth_application") -> list[tuple[Any, ...]]:
        return self.target.database.ask(Run(f"SELECT * FROM {table}"))[0]


@pytest.fixture(params=["sqlite", "libsql", "endpoint"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with ExitStack() as stack:
        if request.param == "endpoint":
            server: Server = request.getfixturevalue("trusting")
            target = stack.enter_context(open_sqlite(server.users.path))
            client = open_client(server.api, "shop", secret=SECRETS["CLIENT"])
            yield Place(target, stack.enter_context(client))
            return
        if request.param == "sqlite":
            target = stack.enter_context(open_sqlite(tmp_path / "auther.db"))
        else:
            url = request.getfixturevalue("sqld")
            target = stack.enter_context(open_libsql(url, writing=True))
        # The tables come with the first user.
        target.write([user("first")])
        yield Place(target, DatabaseRows(target, "shop", mark=MARK))


def user(name: str, *, mark: bytes = MARK, **columns: Any) -> Mapped:
    plain = row_of(name)
    key = account_id(mark, owner=name, provider=CREDENTIAL, subject=name)
    accounts = (plain.accounts[0]._replace(id=key),)
    return plain._replace(user=plain.user._replace(**columns), accounts=accounts)


def test_no_change_between_look_and_write_is_lost(place: Place) -> None:
    for change in CHANGES:
        place.sql("DELETE FROM oauth_application")
        place.sql(AS_MADE_BY_HAND)
        needed = compare(place.rows, WANTED)
        place.sql(f"UPDATE oauth_application SET {change}")
        before = place.there()

        with pytest.raises(RefusedError, match="nothing was written") as refused:
            repair(place.rows, needed, now_ms=1)

        assert refused.value.hint == "migrator auther client ensure"
        assert place.there() == before, change


def test_a_row_in_whatever_form_is_mended(place: Place) -> None:
    for change in CHANGES:
        if "secret" in change:
            continue
        place.sql("DELETE FROM oauth_application")
        place.sql(AS_MADE_BY_HAND)
        place.sql(f"UPDATE oauth_application SET {change}")
        repair(place.rows, compare(place.rows, WANTED), now_ms=1)
        assert compare(place.rows, WANTED).differences == (), change


def test_a_row_that_went_or_came_meanwhile_stays_so(place: Place) -> None:
    to_make = compare(place.rows, WANTED)
    place.sql(AS_MADE_BY_HAND)
    to_mend, before = compare(place.rows, WANTED), place.there()
    with pytest.raises(RefusedError, match="nothing was written"):
        repair(place.rows, to_make, now_ms=1)
    assert place.there() == before

    place.sql("DELETE FROM oauth_application")
    with pytest.raises(RefusedError, match="nothing was written"):
        repair(place.rows, to_mend, now_ms=1)
    assert place.there() == []


def test_the_same_repair_by_another_run_is_no_conflict(place: Place) -> None:
    for number, prepare in enumerate(("DELETE FROM oauth_application", AS_MADE_BY_HAND)):
        place.sql(prepare)
        needed = compare(place.rows, WANTED)
        repair(place.rows, needed, now_ms=number)
        done = place.there()
        repair(place.rows, needed, now_ms=5)
        assert place.there() == done
        assert compare(place.rows, WANTED).differences == ()
        place.sql("DELETE FROM oauth_application")


def test_a_client_with_a_secret_is_somebody_else_s(place: Place) -> None:
    place.sql(AS_MADE_BY_HAND)
    place.sql("UPDATE oauth_application SET client_secret = 's3cret'")
    before = place.there()
    with pytest.raises(RefusedError, match="a client with a secret"):
        compare(place.rows, WANTED)
    found = place.rows.read()
    assert found
    assert not place.rows.write(found, found._replace(name="Mine"))
    assert place.there() == before
    assert "s3cret" not in str(found)


def test_consents_are_for_users_of_this_migration_who_said_nothing(place: Place) -> None:
    place.sql(AS_MADE_BY_HAND)
    people = [
        user("with_account"),
        user("without_account")._replace(accounts=()),
        user("refuser"),
        user("administrator", role="admin"),
        user("of_another_migration", mark=mark_key(b"another" * 8)),
        user("forger")._replace(accounts=()),
    ]
    place.target.write(people)
    place.sql("UPDATE verification SET id = 'chosen' WHERE id = 'migrator:user:forger'")
    place.sql(
        "INSERT INTO oauth_consent (id, client_id, user_id, consent_given) VALUES ('no', 'shop', 'refuser', 0)"
    )
    names = [*(one.pk for one in people), "nobody"]

    assert place.rows.add_consents(names, now_ms=1) == 2
    assert place.rows.add_consents(names, now_ms=2) == 0

    made = [one for one in place.there("oauth_consent") if one[0] != "no"]
    assert {(one[0], one[1], one[2], one[3], one[6]) for one in made} == {
        (
            account_id(MARK, owner=name, provider="oauth_consent", subject="shop"),
            *("shop", name, "openid profile email", 1),
        )
        for name in ("with_account", "without_account")
    }
    assert place.rows.remove_consents(names) == 2
    assert place.rows.remove_consents(names) == 0
    assert [one[0] for one in place.there("oauth_consent")] == ["no"]


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.SLOW])
def test_a_write_whose_answer_is_lost_is_done_once(trusting: Server, fault: Fault) -> None:
    """The second request is the write, or the one that says whether it was done."""
    planned = [Planned(number, fault, seconds=0.2) for number in (1, 3)]
    with (
        FaultyHttp(trusting.auther.base_url, planned) as proxy,
        open_client(
            f"{proxy.base_url}/api/auth", "shop", secret=SECRETS["CLIENT"], patience=QUICK
        ) as rows,
    ):
        repair(rows, compare(rows, WANTED), now_ms=1)
        assert set(proxy.happened) == {fault}
        assert compare(rows, WANTED).differences == ()
    (made,) = trusting.users.rows("SELECT * FROM oauth_application")
    assert (made["name"], made["created_at"]) == ("shop", made["updated_at"])
