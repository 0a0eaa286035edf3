"""The application's client at a real better-auth: made, mended, and never at somebody else's cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from migrator.auther.live.client import Client as ClientRow
from migrator.auther.live.client import add_consents, compare, remove_consents, repair
from migrator.auther.ways.libsql import open_libsql
from migrator.core import ids
from migrator.core.errors import ExitCode, RefusedError
from migrator.runner.standing_up.clients import ensure_client, plan_client, write_consents
from tests.auther.live.doctor.site import PASSWORD, ROW_ONLY, Site, open_site
from tests.auther.plugin.users import bcrypt_envelope
from tests.auther.rows import row as row_of
from tests.parts.better_auth import (
    BetterAuth,
    Client,
    LoginRefusedError,
    login_through_authorize,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.auther.plugin.users import User

KEY = "k" * 40
CALLBACK = ROW_ONLY.redirect_uris[0]
# Known from Auther's configuration alone, as an operator begins with it.
NO_ROW = Client("shop", (CALLBACK,), row=False)


@pytest.fixture
def site(
    better_auth: Callable[..., BetterAuth], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Site]:
    monkeypatch.setenv("SHOP_KEY", KEY)

    def started(*clients: Client) -> Site:
        return open_site(tmp_path, better_auth(tmp_path / "auther.db", clients=clients))

    return started


def row(site: Site) -> dict[str, object]:
    return site.users.rows("SELECT * FROM oauth_application WHERE client_id = 'shop'")[0]


def imported(site: Site) -> User:
    """A user as the import writes them: the account's id tells whose it is."""
    user = site.users.add(bcrypt_envelope(PASSWORD))
    mark = ids.mark_key(KEY.encode())
    marked = ids.account_id(mark, owner=user.id, provider="credential", subject=user.id)
    where = "WHERE user_id = ? AND provider_id = 'credential'"
    site.users.run(f"UPDATE account SET id = ? {where}", marked, user.id)
    return user


def test_a_client_of_the_configuration_gets_tokens_once_it_has_its_row(
    site: Callable[..., Site],
) -> None:
    found = site(NO_ROW)
    with pytest.raises(LoginRefusedError, match="token endpoint: 500"):
        login_through_authorize(found.auther, NO_ROW, found.canary.email, PASSWORD)
    planned = plan_client(found.ctx)
    assert not found.users.rows("SELECT * FROM oauth_application")

    made = ensure_client(found.ctx)

    assert planned.repair == made.repair
    assert made.exit_code is ExitCode.DONE
    assert row(found)["redirect_ur_ls"] == CALLBACK
    assert (row(found)["type"], row(found)["client_secret"], row(found)["disabled"]) == (
        "public",
        None,
        0,
    )
    assert login_through_authorize(found.auther, NO_ROW, found.canary.email, PASSWORD)
    before = row(found)
    assert not ensure_client(found.ctx).repair.differences
    assert row(found) == before


def test_what_auther_s_own_page_wrote_is_mended_and_other_addresses_stay(
    site: Callable[..., Site],
) -> None:
    found = site(NO_ROW)
    other = "http://localhost:4000/other"
    found.users.run(
        "INSERT INTO oauth_application (id, name, client_id, redirect_ur_ls, type, disabled)"
        " VALUES ('x', 'Our shop', 'shop', ?, 'spa', 1)",
        json.dumps([other]),
    )
    made = ensure_client(found.ctx)

    assert [one.column for one in made.repair.differences] == [
        "redirect_ur_ls",
        "type",
        "disabled",
    ]
    assert row(found)["redirect_ur_ls"] == f"{other},{CALLBACK}"
    assert (row(found)["id"], row(found)["name"], row(found)["type"]) == (
        "x",
        "Our shop",
        "public",
    )
    assert found.ctx.state.ledger.pending() == []


def test_a_client_with_a_secret_is_somebody_else_s(site: Callable[..., Site]) -> None:
    found = site(Client("shop", (CALLBACK,), type="web", secret="s3cret"))
    before = row(found)

    with pytest.raises(RefusedError, match="a client with a secret"):
        ensure_client(found.ctx)
    assert row(found) == before


def test_without_trust_it_says_what_a_person_has_to_add(site: Callable[..., Site]) -> None:
    found = site(ROW_ONLY)
    made = ensure_client(found.ctx)

    assert made.exit_code is ExitCode.REFUSED
    assert "NO_CONSENT_PAGE_PROVIDED" in made.login["consent"].found
    assert 'clientId: "shop"' in made.trusted_entry
    assert f'redirectURLs: ["{CALLBACK}"]' in made.trusted_entry
    assert "skipConsent: true" in made.trusted_entry


def test_over_http_it_is_the_same(sqld: str) -> None:
    wanted, mark = ClientRow("shop", "shop", (CALLBACK,)), ids.mark_key(KEY.encode())
    ada = row_of("ada")
    with open_libsql(sqld, writing=True) as target:
        target.write([ada])
        database = target.database
        first = compare(database, wanted)
        repair(database, first, now_ms=1)
        # An answer that was lost, and the same request again.
        repair(database, first, now_ms=2)
        assert compare(database, wanted).differences == ()
        assert add_consents(database, "shop", ["ada"], mark=mark, now_ms=1) == 1
        assert add_consents(database, "shop", ["ada"], mark=mark, now_ms=2) == 0
        assert remove_consents(database, "shop", ["ada"], mark=mark) == 1


def test_consents_are_for_users_of_this_migration_who_have_not_said_no(
    site: Callable[..., Site],
) -> None:
    found = site(ROW_ONLY)
    ours, refuser, stranger = imported(found), imported(found), found.canary
    found.users.run(
        "INSERT INTO oauth_consent (id, client_id, user_id, consent_given) VALUES ('no', 'shop', ?, 0)",
        refuser.id,
    )

    assert write_consents(found.ctx) == 1
    assert write_consents(found.ctx) == 0

    assert login_through_authorize(found.auther, ROW_ONLY, ours.email, PASSWORD)
    for other in (refuser, stranger):
        with pytest.raises(LoginRefusedError, match="NO_CONSENT_PAGE_PROVIDED"):
            login_through_authorize(found.auther, ROW_ONLY, other.email, PASSWORD)
    assert write_consents(found.ctx, remove=True) == 1
    assert found.users.rows("SELECT id FROM oauth_consent") == [{"id": "no"}]
