"""The shadow check: passwords that Devise accepted, checked against a real Auther beside the request."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.envelope import Envelope
from migrator.core.ids import account_id
from migrator.core.stage import Stage
from tests.auther.plugin.users import Users
from tests.parts import require
from tests.parts.better_auth import BetterAuth, start
from tests.parts.faulty_wire import Fault, FaultyHttp, Planned
from tests.parts.rails import prepare, settings_for
from tests.parts.stage_file import create_side_tables
from tests.shims.rails.club import ALICE, BOB, CAROL, DAVE, Club, oracle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from migrator.shims.interface import ShimSettings
    from tests.parts.postgres import PostgresServer

VERIFY_SECRET = "v" * 40
MARK = b"m" * 32
SEEN_WITHIN_S = 30
SHADOW = "SELECT user_pk, matched, reason, checks FROM migrator_shadow ORDER BY user_pk"
MOVE = "UPDATE migrator_identity SET home = %s WHERE user_pk = %s"
IDENTITY = "INSERT INTO migrator_identity (source, user_pk, auther_id, pinned_reason) VALUES ('User', %s, %s, %s)"


@dataclass(frozen=True)
class Site:
    """The application, and the Auther that it asks."""

    club: Club
    auther: BetterAuth
    users: Users
    wire: FaultyHttp

    def sign_in(self, user_id: int, *, times: int = 1) -> None:
        """Sign in at Devise's form, each time as a new browser."""
        for _ in range(times):
            with self.club.browser() as client:
                assert self.club.sign_in(client, user_id).status_code == 302

    def results(self) -> dict[str, int]:
        """Give the counter by result."""
        return {
            series[1].removeprefix("result="): count
            for series, count in self.club.counters().items()
            if series[0] == "auth_shadow_checks_total"
        }

    def wait_for(self, result: str, count: int = 1) -> None:
        """Wait until so many checks ended in this way."""
        self.wait_until(lambda: self.results().get(result, 0) >= count)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds."""
        deadline_s = time.monotonic() + SEEN_WITHIN_S
        while not condition():
            assert time.monotonic() < deadline_s, self.results()
            time.sleep(0.1)


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    postgres: PostgresServer,
    devise_template: str,
) -> Iterator[Site]:
    """Alice and Bob at Auther, Bob with the wrong pepper; Dave pinned; Carol unknown."""
    require("node")
    require("rails")
    folder: Path = tmp_path_factory.mktemp("shadow")
    pepper = oracle()[ALICE]["pepper"]
    with (
        start(
            folder / "auther.db",
            peppers={"current": pepper, "other": "not the pepper of anybody"},
            env={"MIGRATOR_SECRET_VERIFY": VERIFY_SECRET, "MIGRATOR_MARK": MARK.hex()},
        ) as auther,
        FaultyHttp(auther.base_url) as wire,
        postgres.temporary_database(template=devise_template) as dsn,
        Issuer() as issuer,
    ):
        create_side_tables(dsn)
        plain = settings_for(issuer)

        def settings(port: int, public_key: str) -> ShimSettings:
            url = f"{wire.base_url}/api/auth/migrator"
            return replace(plain(port, public_key), plugin_url=url)

        app = prepare(
            dsn, settings, pepper=pepper, extra={"MIGRATOR_VERIFY_SECRET": VERIFY_SECRET}
        )
        site = Site(Club(app, issuer, dsn), auther, Users(folder / "auther.db"), wire)
        bring(site, ALICE, "current")
        bring(site, BOB, "other")
        bring(site, DAVE, "current", pinned="second_factor")
        app.start()
        yield site
        app.remove()


def bring(site: Site, user_id: int, pepper: str, *, pinned: str | None = None) -> None:
    stored = site.club.sql("SELECT encrypted_password FROM users WHERE id = %s", user_id)[0][0]
    user = site.users.add(Envelope("bcrypt", stored, (pepper,)).encode())
    marked = account_id(MARK, owner=user.id, provider="credential", subject=user.id)
    where = "WHERE user_id = ? AND provider_id = 'credential'"
    site.users.run(f"UPDATE account SET id = ? {where}", marked, user.id)
    site.club.sql(IDENTITY, str(user_id), user.id, pinned)


def test_a_good_import_matches_and_a_wrong_pepper_shows(site: Site) -> None:
    before = site.results()
    site.sign_in(ALICE)
    site.wait_for("match", before.get("match", 0) + 1)
    site.sign_in(BOB)
    site.wait_for("mismatch", before.get("mismatch", 0) + 1)
    rows = {row[0]: row[1:3] for row in site.club.sql(SHADOW)}
    assert rows == {str(BOB): (False, ""), str(ALICE): (True, "")}


def test_nobody_is_checked_who_is_not_meant_to_sign_in_there(site: Site) -> None:
    before = site.results().get("unlinked", 0)
    site.sign_in(CAROL)
    site.sign_in(DAVE)
    site.wait_for("unlinked", before + 2)
    assert {pk for pk, *_ in site.club.sql(SHADOW)} <= {str(ALICE), str(BOB)}


@pytest.mark.parametrize("fault", [Fault.SLOW, Fault.SERVER_ERROR, Fault.HALF_ANSWER])
def test_an_auther_in_trouble_delays_no_sign_in_and_proves_nothing(
    site: Site, fault: Fault
) -> None:
    before, rows = site.results().get("error", 0), site.club.sql(SHADOW)
    site.wire.plan = {site.wire.requests: Planned(site.wire.requests, fault, seconds=5)}
    began_s = time.monotonic()
    site.sign_in(ALICE)
    assert time.monotonic() - began_s < 5
    site.wait_for("error", before + 1)
    assert site.club.sql(SHADOW) == rows


def test_after_a_rollback_passwords_stay_here_that_auther_has_no_business_with(site: Site) -> None:
    asked, unlinked = site.wire.requests, site.results().get("unlinked", 0)
    site.club.set_stage(Stage.LEGACY, stop_accepting=True)
    site.sign_in(ALICE)
    site.club.set_stage(Stage.LEGACY)
    site.club.sql(MOVE, "auther", str(ALICE))
    site.sign_in(ALICE)
    site.wait_for("unlinked", unlinked + 1)
    site.club.sql(MOVE, "legacy", str(ALICE))
    before = sum(site.results().values())
    site.sign_in(BOB)
    site.wait_until(lambda: sum(site.results().values()) > before and site.wire.requests > asked)
    assert site.wire.requests == asked + 1


def test_no_password_reaches_log_or_metrics(site: Site) -> None:
    before = site.results()
    site.sign_in(ALICE)
    site.sign_in(BOB)
    for result in ("match", "mismatch"):  # a check that is under way would fall into the next test
        site.wait_for(result, before.get(result, 0) + 1)
    said = site.club.app.log_path.read_text() + site.club.metrics_text() + site.auther.log()
    for user_id in (ALICE, BOB):
        assert site.club.people[user_id]["plaintext_password"] not in said
    assert VERIFY_SECRET not in said
