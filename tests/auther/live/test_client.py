"""The application's client at a real better-auth: made, mended, and never at somebody else's cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from migrator.core import ids
from migrator.core.errors import ExitCode, RefusedError
from migrator.runner.standing_up.clients import ensure_client, plan_client, write_consents
from tests.auther.live.conftest import CALLBACK, NO_ROW
from tests.auther.live.doctor.site import PASSWORD, ROW_ONLY, Site, open_site
from tests.auther.plugin.door import KEY, MARK, SECRETS
from tests.auther.plugin.users import bcrypt_envelope
from tests.parts.better_auth import LoginRefusedError, login_through_authorize

if TYPE_CHECKING:
    from pathlib import Path

    from tests.auther.live.conftest import Server
    from tests.auther.plugin.users import User

pytestmark = pytest.mark.xdist_group("auther-client")

WAYS = ("sqlite", "endpoint")


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SHOP_KEY", KEY)
    return str(request.param)


@pytest.fixture
def site(way: str, tmp_path: Path, trusting: Server) -> Site:
    """The folder of an operator whose Auther trusts the client."""
    return open_folder(tmp_path, trusting, way)


@pytest.fixture
def untrusted(way: str, tmp_path: Path, asking: Server) -> Site:
    """The folder of an operator whose Auther asks for consent."""
    return open_folder(tmp_path, asking, way)


def open_folder(root: Path, server: Server, way: str) -> Site:
    (root / "auther.db").symlink_to(server.users.path)
    secrets = root / ".migrator"
    secrets.mkdir(mode=0o700)
    for name in ("client", "import"):
        path = secrets / f"plugin-{name}.secret"
        path.write_text(SECRETS[name.upper()])
        path.chmod(0o600)
    return open_site(root, server.auther, more=f'kind = "{way}"')


def row(site: Site) -> dict[str, object]:
    return site.users.rows("SELECT * FROM oauth_application WHERE client_id = 'shop'")[0]


def imported(site: Site) -> User:
    """A user as the import writes them: the account's id tells whose it is."""
    user = site.users.add(bcrypt_envelope(PASSWORD))
    marked = ids.account_id(MARK, owner=user.id, provider="credential", subject=user.id)
    where = "WHERE user_id = ? AND provider_id = 'credential'"
    site.users.run(f"UPDATE account SET id = ? {where}", marked, user.id)
    return user


def test_a_client_of_the_configuration_gets_tokens_once_it_has_its_row(
    site: Site,
) -> None:
    with pytest.raises(LoginRefusedError, match="token endpoint: 500"):
        login_through_authorize(site.auther, NO_ROW, site.canary.email, PASSWORD)
    planned = plan_client(site.ctx)
    assert not site.users.rows("SELECT * FROM oauth_application")

    made = ensure_client(site.ctx)

    assert planned.repair == made.repair
    assert made.exit_code is ExitCode.DONE
    assert row(site)["redirect_ur_ls"] == CALLBACK
    assert (row(site)["type"], row(site)["client_secret"], row(site)["disabled"]) == (
        "public",
        None,
        0,
    )
    assert login_through_authorize(site.auther, NO_ROW, site.canary.email, PASSWORD)
    before = row(site)
    assert not ensure_client(site.ctx).repair.differences
    assert row(site) == before


def test_what_auther_s_own_page_wrote_is_mended_and_other_addresses_stay(
    site: Site,
) -> None:
    other = "http://localhost:4000/other"
    site.users.run(
        "INSERT INTO oauth_application (id, name, client_id, redirect_ur_ls, type, disabled)"
        " VALUES ('x', 'Our shop', 'shop', ?, 'spa', 1)",
        json.dumps([other]),
    )
    made = ensure_client(site.ctx)

    assert [one.column for one in made.repair.differences] == [
        "redirect_ur_ls",
        "type",
        "disabled",
    ]
    assert row(site)["redirect_ur_ls"] == f"{other},{CALLBACK}"
    assert (row(site)["id"], row(site)["name"], row(site)["type"]) == (
        "x",
        "Our shop",
        "public",
    )
    assert site.ctx.state.ledger.pending() == []


def test_a_client_with_a_secret_is_somebody_else_s(site: Site) -> None:
    site.users.run(
        "INSERT INTO oauth_application (id, name, client_id, client_secret, redirect_ur_ls, type)"
        " VALUES ('x', 'Our shop', 'shop', 's3cret', ?, 'web')",
        CALLBACK,
    )
    before = row(site)

    with pytest.raises(RefusedError, match="a client with a secret"):
        ensure_client(site.ctx)
    assert row(site) == before


def test_without_trust_it_says_what_a_person_has_to_add(untrusted: Site) -> None:
    made = ensure_client(untrusted.ctx)

    assert made.exit_code is ExitCode.REFUSED
    assert "NO_CONSENT_PAGE_PROVIDED" in made.login["consent"].found
    assert 'clientId: "shop"' in made.trusted_entry
    assert f'redirectURLs: ["{CALLBACK}"]' in made.trusted_entry
    assert "skipConsent: true" in made.trusted_entry


def test_consents_are_for_users_of_this_migration_who_have_not_said_no(
    untrusted: Site,
) -> None:
    with pytest.raises(RefusedError, match="no row of the client shop") as refused:
        write_consents(untrusted.ctx)
    assert refused.value.hint == "migrator auther client ensure"
    ensure_client(untrusted.ctx)
    ours, refuser, stranger = imported(untrusted), imported(untrusted), untrusted.canary
    untrusted.users.run(
        "INSERT INTO oauth_consent (id, client_id, user_id, consent_given) VALUES ('no', 'shop', ?, 0)",
        refuser.id,
    )

    assert write_consents(untrusted.ctx) == 1
    assert write_consents(untrusted.ctx) == 0

    assert login_through_authorize(untrusted.auther, ROW_ONLY, ours.email, PASSWORD)
    for other in (refuser, stranger):
        with pytest.raises(LoginRefusedError, match="NO_CONSENT_PAGE_PROVIDED"):
            login_through_authorize(untrusted.auther, ROW_ONLY, other.email, PASSWORD)
    assert write_consents(untrusted.ctx, remove=True) == 1
    assert untrusted.users.rows("SELECT id FROM oauth_consent") == [{"id": "no"}]


@pytest.mark.parametrize(
    "there", ["", "'https://other.example', 'spa', NULL", "'x', 'public', 's3cret'"]
)
def test_both_ways_plan_and_refuse_alike(
    there: str, tmp_path: Path, trusting: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_KEY", KEY)
    columns = "id, name, client_id, redirect_ur_ls, type, client_secret"
    if there:
        trusting.users.run(
            f"INSERT INTO oauth_application ({columns}) VALUES ('x', 'Our shop', 'shop', {there})"
        )
    answers = []
    for way in WAYS:
        root = tmp_path / way
        root.mkdir()
        answers.append(planned(open_folder(root, trusting, way)))
    assert answers[0] == answers[1]


def planned(site: Site) -> object:
    try:
        return plan_client(site.ctx)
    except RefusedError as error:
        return str(error), error.hint
