"""There and back again under load: through all stages, back to the first and forward to the drain.

Thirty people on the real Rails application with the generated shim and a real Auther with the
plugin. They never stop clicking; nobody is signed out, and each answer is the right person's.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import pytest

from migrator.core.stage import Stage
from migrator.runner import stages
from migrator.runner.switching.publishing import public_key
from phases import p2_dual_path
from tests.parts import require
from tests.phases.clicking import Person, Tally, Traffic, Way
from tests.phases.switching import (
    AUTHER,
    DRAIN,
    DUAL,
    LEGACY,
    Switching,
    make_switching,
    set_stage,
)
from tests.shims.rails.club import TOKEN_COOKIE
from tests.shims.rails.town import Town, town_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from migrator.runner.switching.switch import Switched

pytestmark = pytest.mark.xdist_group("drill-rails")

WHO = {
    Way.PAGES: range(1, 9),
    Way.SCRIPTS: range(9, 11),
    Way.REMEMBERED: range(11, 17),
    Way.AUTHER: range(17, 24),
    Way.API: range(24, 28),
}
# They sign in with Devise after the way back.
LATE = range(28, 31)
# Puma's few threads wait 0.2 s for the next request of a connection that stays open.
ONE_BY_ONE = httpx.Limits(max_keepalive_connections=0)
QUIET_WITHIN_ROUNDS = 5
LEGACY_WAYS = (Way.PAGES, Way.SCRIPTS, Way.REMEMBERED)


@dataclass
class Drill:
    """The operator, the people and both sides."""

    town: Town
    switch: Switching
    traffic: Traffic
    tally: Tally
    visited: list[str] = field(default_factory=list)

    def set(self, stage: Stage, percent: float | None = None) -> None:
        """Move on, and let everybody click there."""
        self._move(set_stage(self.switch, stage, percent))

    def back(self) -> None:
        """Take one step back, and let everybody click there."""
        self._move(p2_dual_path.rollback(self.switch.ctx).done)

    def _move(self, done: Switched) -> None:
        assert done.lagging == ()
        self.traffic.at = str(stages.position(done.document))
        self.visited.append(self.traffic.at)
        self.traffic.round()

    def arrive(self, way: Way, users: Iterable[int]) -> None:
        """Sign people in, each in a browser of their own; from then on they click."""
        self.traffic.join(Person(user_id, way, self._signed_in(way, user_id)) for user_id in users)

    def _signed_in(self, way: Way, user_id: int) -> httpx.Client:
        browser = self.town.browser(limits=ONE_BY_ONE)
        browser.event_hooks = {"response": [self.tally]}
        if way in LEGACY_WAYS:
            self.town.sign_in(browser, user_id, remember=way is Way.REMEMBERED)
            return browser
        page = self.town.sign_in_at_auther(browser, user_id)
        assert f"member {user_id}." in page.text, page.text
        return _api_client(browser) if way is Way.API else browser

    def legacy_requests(self) -> int:
        """Count what stage `auther` would end, as the gate before it does."""
        return sum(self.requests(path="legacy", outcome="accepted").values())

    def is_quiet(self) -> bool:
        """Tell whether that count stood still while everybody clicked."""
        before = self.legacy_requests()
        self.traffic.round()
        return self.legacy_requests() == before

    def requests(self, **labels: str) -> Counter[tuple[str, str]]:
        """Count requests at the shim by stage and path."""
        counted: Counter[tuple[str, str]] = Counter()
        wanted = {"synthetic": "0", **labels}.items()
        for sample in self.town.club.samples():
            if sample.name == "auth_requests_total" and wanted <= sample.labels.items():
                counted[sample.labels["stage"], sample.labels["path"]] += int(sample.value)
        return counted

    def total(self, name: str) -> dict[str, int]:
        """Give the series of another counter by their labels."""
        return {
            " ".join(series[1:]): count
            for series, count in self.town.club.counters().items()
            if series[0] == name
        }


def _api_client(browser: httpx.Client) -> httpx.Client:
    """Take the token out of the browser, as a client of the API holds it."""
    token = browser.cookies[TOKEN_COOKIE]
    browser.cookies.clear()
    browser.headers = httpx.Headers({"Authorization": f"Bearer {token}"})
    return browser


@pytest.fixture
def drill(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drill]:
    """Stage `legacy`, and nobody there."""
    require("node")
    require("rails")
    switch = make_switching(tmp_path, devise_db, monkeypatch, wait="15s")
    everybody = [user_id for users in (*WHO.values(), LATE) for user_id in users]
    # The build that is deployed before stage `auther`, from the beginning: it falls back to `drain`.
    with (
        town_on(
            devise_db,
            tmp_path,
            everybody,
            app_env={"MIGRATOR_STAGE_FILE": str(tmp_path / ".migrator" / "stage.json")},
            stage_public_key=public_key(switch.ctx),
            baked_stage=DRAIN,
            json_doors_until="",
        ) as town,
        Traffic() as traffic,
    ):
        made = Drill(town, switch, traffic, Tally(httpx.URL(town.club.app.base_url)))
        made.set(LEGACY)
        yield made


def test_nobody_is_signed_out_on_the_way_there_and_back(drill: Drill) -> None:
    for way in LEGACY_WAYS:
        drill.arrive(way, WHO[way])
    there(drill)
    back(drill)
    drill.arrive(Way.PAGES, LATE)
    drill.set(DUAL)
    drill.set(DRAIN)
    until_quiet(drill)
    drill.traffic.stop()

    assert drill.traffic.failures == [], drill.traffic.report()
    assert drill.visited == [
        *("legacy", "dual 0 %", "dual 50 %", "dual 100 %", "drain", "auther"),
        *("drain", "dual 100 %", "dual 50 %", "dual 0 %", "legacy", "dual 0 %", "drain"),
    ]
    everybody_was_exchanged_once(drill)
    both_sides_counted_the_same(drill)


def there(drill: Drill) -> None:
    """Forward to `auther`, once the counters say that nobody depends on the legacy side any more."""
    drill.set(DUAL)
    for way in (Way.AUTHER, Way.API):
        drill.arrive(way, WHO[way])
    drill.set(DUAL, 50)
    drill.set(DUAL, 100)
    drill.set(DRAIN)
    drill.traffic.round()
    assert not drill.is_quiet(), "whoever only fetches is not exchanged"
    drill.traffic.change(Way.SCRIPTS, Way.PAGES)
    until_quiet(drill)
    drill.set(AUTHER)


def back(drill: Drill) -> None:
    for _ in ("drain", "dual 100 %", "dual 50 %", "dual 0 %", "legacy"):
        drill.back()


def until_quiet(drill: Drill) -> None:
    """Wait for what the gate before `auther` waits for: no request by a legacy credential."""
    for _ in range(QUIET_WITHIN_ROUNDS):
        if drill.is_quiet():
            return
    raise AssertionError(drill.requests(path="legacy"))


def everybody_was_exchanged_once(drill: Drill) -> None:
    """Nobody typed a password again: each login came from an exchange, or was a first one."""
    exchanged = [user_id for way in LEGACY_WAYS for user_id in WHO[way]] + list(LATE)
    first = [user_id for way in (Way.AUTHER, Way.API) for user_id in WHO[way]]
    assert drill.total("auth_exchanges_total") == {"result=ok": len(exchanged)}
    by_callback = drill.total("auth_logins_total")["door=callback side=auther"]
    assert by_callback == len(exchanged) + len(first)
    assert drill.total("auth_logins_failed_total") == {}
    people = exchanged + first
    assert {drill.town.home(user_id) for user_id in people} == {"auther"}
    assert {user_id: drill.town.sessions(user_id) for user_id in people} == dict.fromkeys(
        people, 1
    )


def both_sides_counted_the_same(drill: Drill) -> None:
    counted = drill.requests()
    for stage in Stage:
        paths = {path: count for (at, path), count in counted.items() if at == stage}
        print(f"{stage}: {sum(paths.values())} requests: {paths}")
    by_path: Counter[str] = Counter()
    for (_, path), count in counted.items():
        by_path[path] += count
    assert by_path == drill.tally.by_path
    assert [at for at in counted if at[0] == AUTHER] == [(AUTHER, "auther")]
    good = drill.requests(outcome="accepted") + drill.requests(outcome="anonymous")
    assert good == counted, "something was refused"
