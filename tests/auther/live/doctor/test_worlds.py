"""The doctor at real better-auths that differ in what Authers differ in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrator.core.errors import ExitCode
from tests.auther.live.doctor.site import APP, CAPABILITIES, PASSWORD, ROW_ONLY, Site, open_site
from tests.auther.plugin.native import native_key
from tests.parts import require
from tests.parts.better_auth import start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.parts.better_auth import BetterAuth

MARK = {"MIGRATOR_MARK": "00" * 32}
DOORS = ("sign_up", "forgot_password", "no_linking")
SECRET = "a secret for sign-ups of 32 bytes"


@pytest.fixture(scope="module")
def guide_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("guide")


@pytest.fixture(scope="module")
def complete(guide_folder: Path) -> Iterator[Site]:
    """An Auther with everything that a cutover needs."""
    require("node")
    path = guide_folder / "auther.db"
    with start(path, clients=[APP], rate_limit=True, env=CAPABILITIES | MARK) as running:
        yield open_site(guide_folder, running)


@pytest.fixture
def site(better_auth: Callable[..., BetterAuth], tmp_path: Path) -> Callable[..., Site]:
    def started(*, more: str = "", **options: object) -> Site:
        options = {"clients": [APP], "env": CAPABILITIES | MARK} | options
        return open_site(tmp_path, better_auth(tmp_path / "auther.db", **options), more=more)

    return started


@pytest.fixture(scope="module")
def diagnosis(complete: Site) -> dict[str, tuple[str, str]]:
    """What the doctor found there: state and text by question."""
    found = complete.diagnose().findings
    return {code: (str(one.state), one.found) for code, one in found.items()}


def test_nothing_stands_in_the_way_where_the_plugin_is(complete: Site) -> None:
    made = complete.diagnose()
    assert (made.exit_code, made.missing, made.unknown) == (ExitCode.DONE, [], [])


def test_every_door_stands_open(diagnosis: dict[str, tuple[str, str]]) -> None:
    assert {code: diagnosis[code][0] for code in DOORS} == dict.fromkeys(DOORS, "found")
    assert diagnosis["sign_up"][1] == "Auther's page /sign-up; the API takes sign-ups"


@pytest.mark.parametrize(
    ("code", "state", "text"),
    [
        ("algorithm", "found", "keys sign with EdDSA"),
        ("client", "found", "a code and tokens for the canary"),
        ("consent", "found", "the client is trusted"),
        ("id_token", "found", "EdDSA, "),
        ("iat_unit", "found", "milliseconds"),
        ("id_token_lifetime", "found", "2d"),
        ("permissions", "missing", "no claim permissions"),
        ("renewal", "missing", "returns no id_token; a refresh token is good more than once"),
        ("fetched_authorize", "found", "200 with JSON"),
        ("silent_authorize", "missing", "prompt=none is ignored: /sign-in"),
        ("session_jwt", "found", "iat in seconds"),
        ("bearer", "missing", "does not take a bearer"),
        ("exchange", "missing", "there is no exchange"),
        ("webhooks", "unknown", "only a delivery"),
        ("account_index", "missing", "has no index"),
        ("limits", "found", "X-Retry-After: "),
        ("clock", "found", "0 s"),
        ("legacy_passwords", "found", "the plugin is there, version 1"),
        ("capabilities", "found", "on: verify, statistics; off: import"),
    ],
)
def test_what_it_finds_at_todays_better_auth(
    diagnosis: dict[str, tuple[str, str]], code: str, state: str, text: str
) -> None:
    assert (diagnosis[code][0], text in diagnosis[code][1]) == (state, True), diagnosis[code]


def test_the_plugin_does_not_pass_for_slow(diagnosis: dict[str, tuple[str, str]]) -> None:
    assert diagnosis["native_scrypt"][0] in {"found", "unknown"}, diagnosis["native_scrypt"]


def test_it_leaves_no_session_and_no_user(complete: Site, diagnosis: object) -> None:
    assert [row["id"] for row in complete.users.rows("SELECT id FROM user")] == [
        complete.canary.id
    ]
    assert complete.users.rows("SELECT id FROM session") == []


def test_what_it_found_is_kept(complete: Site, diagnosis: object) -> None:
    entry = complete.ctx.state.ledger.latest("auther", "doctor", kind="outcome")
    kept = complete.ctx.state.checkpoints.get("auther", "doctor")

    assert entry is not None
    assert entry.body["states"]["sign_up"] == "found"
    assert kept["findings"]["sign_up"]["provider"] == "Auther"
    text = str(entry.body) + str(kept)
    assert PASSWORD not in text
    assert complete.canary.email not in text


def test_a_stock_auther_that_lets_nobody_in(site: Callable[..., Site]) -> None:
    behaviour = {"signUpSecret": SECRET, "pages": False, "reset": False, "social": ["google"]}
    found = site(plugin=False, clients=[ROW_ONLY], behaviour=behaviour)
    made = found.diagnose()

    assert made.exit_code == ExitCode.REFUSED
    assert made.missing == ["sign_up", "forgot_password", "legacy_passwords"]
    # An imported password answers 500, so nothing that needs a session is known.
    assert {"client", "consent", "id_token", "no_linking"} <= set(made.unknown)
    assert made.findings["sign_up"].provider == "the application"
    assert "(500)" in made.findings["sign_up"].found


def test_stock_scrypt_holds_everybody_up_and_a_social_provider_is_a_question(
    site: Callable[..., Site],
) -> None:
    found = site(plugin=False, clients=[ROW_ONLY], behaviour={"social": ["google"]})
    salt = "5a" * 16
    found.users.run("UPDATE account SET password = ?", f"{salt}:{native_key(PASSWORD, salt)}")
    made = found.diagnose()

    # On a busy machine it says that it cannot tell.
    assert made.findings["native_scrypt"].state in {"missing", "unknown"}
    assert made.findings["no_linking"].state == "unknown"
    assert "Auther offers google" in made.findings["no_linking"].found
    assert "NO_CONSENT_PAGE_PROVIDED" in made.findings["consent"].found
    assert "consent" in made.missing


def test_a_consent_of_the_canary_alone_does_not_help_new_users(site: Callable[..., Site]) -> None:
    found = site(clients=[ROW_ONLY])
    found.users.run(
        "INSERT INTO oauth_consent (id, client_id, user_id, consent_given) VALUES ('c', 'shop', ?, 1)",
        found.canary.id,
    )
    consent = found.diagnose().findings["consent"]

    assert (consent.state, consent.blocks) == ("missing", True)
    assert "the client is not trusted" in consent.found


def test_what_the_application_provides_is_its_own(site: Callable[..., Site]) -> None:
    behaviour = {"signUpSecret": SECRET, "pages": False, "reset": False, "social": ["google"]}
    # Nobody listens at the application's address here.
    own = """
sign_up_url = "http://127.0.0.1:1/register"
forgot_password_url = "http://127.0.0.1:1/password"
links_accounts = false
"""
    made = site(behaviour=behaviour, more=own, env=MARK).diagnose()

    assert {made.findings[code].state for code in DOORS} == {"found"}
    assert made.findings["sign_up"].provider == "the application"
    assert "not reached from here" in made.findings["sign_up"].found


@pytest.mark.parametrize(
    ("linking", "social", "state", "text"),
    [
        (
            True,
            ["google"],
            "missing",
            "google: Auther links by e-mail (the plugin reads it there)",
        ),
        (False, ["google"], "found", "off (the plugin reads it there)"),
        (True, [], "found", "Auther offers no social provider"),
    ],
)
def test_the_plugin_tells_whether_a_stranger_may_come_in_by_address(
    site: Callable[..., Site], linking: bool, social: list[str], state: str, text: str
) -> None:
    # What was seen there counts more than the operator's word.
    found = site(behaviour={"linking": linking, "social": social}, more="links_accounts = false")
    door = found.diagnose().findings["no_linking"]

    assert (door.state, door.found) == (state, text)


def test_a_sign_up_on_request_leaves_nobody(site: Callable[..., Site], tmp_path: Path) -> None:
    (tmp_path / "sign-up.secret").write_text(SECRET)
    (tmp_path / "sign-up.secret").chmod(0o600)
    found = site(behaviour={"signUpSecret": SECRET}, more='sign_up_secret = "file:sign-up.secret"')
    made = found.diagnose(with_sign_up=True)

    assert made.findings["new_user"].found == "a test user was registered and was removed again"
    assert [row["id"] for row in found.users.rows("SELECT id FROM user")] == [found.canary.id]
