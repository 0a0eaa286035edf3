from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from migrator.core.clock import ManualClock
from migrator.core.events import Event
from migrator.dashboards.notification import EVENT_ID, SIGNATURE
from migrator.runner.notifying.announcing import announce
from migrator.runner.notifying.delivering import (
    GIVEN_UP_AFTER,
    deliver,
    deliver_within,
    pause,
    retry_after,
    send_test,
)
from tests.parts.receiver import Receiver
from tests.runner.approvals import CONFIG, Team

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrator.runner.context import Context

AT = datetime(2026, 11, 23, 3, tzinfo=UTC)
STAGE = Event("stage", "the stage was moved from dual 5 % to dual 10 %")
GATE = Event("gate", "gate quiet: HELD -> PASSED")
NOTIFY = """
[notify]
webhooks = [
  {{ url = "env:TEST_HOOK", secret = "env:TEST_SECRET" }},
  {{ url = "env:OTHER_HOOK", events = {events} }},
]
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.stop()


@pytest.fixture
def other() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.stop()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(AT)


@pytest.fixture
def ctx(
    tmp_path: Path,
    clock: ManualClock,
    receiver: Receiver,
    other: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> Context:
    monkeypatch.setenv("TEST_HOOK", receiver.url)
    monkeypatch.setenv("OTHER_HOOK", other.url)
    monkeypatch.setenv("TEST_SECRET", "signing-secret")
    team = Team(tmp_path)
    team.configure(more=NOTIFY.format(events='["gate"]'))
    return team.context(clock)


def titles(receiver: Receiver) -> list[str]:
    return [json.loads(one.body)["text"] for one in receiver.received]


def test_each_receiver_gets_what_it_wants_in_order_once(
    ctx: Context, receiver: Receiver, other: Receiver
) -> None:
    announce(ctx, STAGE)
    announce(ctx, GATE)
    assert deliver(ctx).sent == 3
    assert len(receiver.received) == 2
    assert titles(receiver)[0].startswith("shop: the stage was moved")
    assert titles(other) == ["shop: gate quiet: HELD -&gt; PASSED"]
    assert receiver.received[0].headers[SIGNATURE].startswith("v1=")
    assert SIGNATURE not in other.received[0].headers
    done = deliver(ctx)
    assert (done.sent, done.waiting) == (0, 0)


def test_a_failure_is_tried_again_later_under_the_same_id(
    ctx: Context, clock: ManualClock, receiver: Receiver
) -> None:
    receiver.answers += [(500, {}), (503, {})]
    announce(ctx, STAGE)
    done = deliver(ctx)
    assert (done.sent, done.waiting, done.errors) == (0, 1, ("env:TEST_HOOK: answered 500",))
    assert deliver(ctx).errors == ()
    clock.at += timedelta(seconds=11)
    assert deliver(ctx).errors == ("env:TEST_HOOK: answered 503",)
    clock.at += timedelta(seconds=21)
    assert deliver(ctx).sent == 1
    assert len({one.headers[EVENT_ID] for one in receiver.received}) == 1
    assert len(receiver.received) == 3


def test_a_receiver_that_asks_for_time_gets_it(
    ctx: Context, clock: ManualClock, receiver: Receiver
) -> None:
    receiver.answers.append((429, {"Retry-After": "600"}))
    announce(ctx, STAGE)
    deliver(ctx)
    clock.at += timedelta(seconds=590)
    assert deliver(ctx).sent == 0
    clock.at += timedelta(seconds=11)
    assert deliver(ctx).sent == 1


def test_one_that_is_away_does_not_keep_the_other_waiting(
    ctx: Context, receiver: Receiver, other: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_HOOK", "http://127.0.0.1:9/gone/s3cr3t")
    announce(ctx, GATE)
    announce(ctx, GATE)
    done = deliver(ctx)
    assert (done.sent, done.waiting) == (2, 2)
    assert done.errors == ("env:TEST_HOOK: does not answer (ConnectError)",)
    assert (len(receiver.received), len(other.received)) == (0, 2)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "env:TEST_HOOK is empty or not set"),
        ("http://hooks.example.org/x", "not an https address"),
        ("not a url", "not an https address"),
    ],
)
def test_an_address_that_cannot_be_used_is_named_and_never_shown(
    ctx: Context, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    monkeypatch.setenv("TEST_HOOK", url)
    announce(ctx, STAGE)
    assert deliver(ctx).errors == (f"env:TEST_HOOK: {said}",)


def test_a_redirect_is_not_followed(ctx: Context, receiver: Receiver, other: Receiver) -> None:
    receiver.answers.append((307, {"Location": other.url}))
    announce(ctx, STAGE)
    assert deliver(ctx).errors == ("env:TEST_HOOK: answered 307",)
    assert other.received == []


def test_after_three_days_it_is_given_up(ctx: Context, clock: ManualClock) -> None:
    announce(ctx, STAGE)
    clock.at += GIVEN_UP_AFTER + timedelta(seconds=1)
    done = deliver(ctx)
    assert (done.sent, done.waiting) == (0, 0)


def test_what_is_under_way_elsewhere_is_left_alone_for_a_minute(
    ctx: Context, clock: ManualClock, receiver: Receiver
) -> None:
    announce(ctx, STAGE)
    (one,) = ctx.state.outbox.waiting()
    assert ctx.state.outbox.claim(one, until=AT + timedelta(minutes=1))
    assert not ctx.state.outbox.claim(one, until=AT + timedelta(minutes=1))
    assert deliver(ctx).sent == 0
    clock.at += timedelta(minutes=1)
    assert deliver(ctx).sent == 1
    assert len(receiver.received) == 1


def test_a_receiver_that_hangs_holds_nobody_up(ctx: Context, receiver: Receiver) -> None:
    receiver.holds.clear()
    announce(ctx, STAGE)
    began = time.monotonic()
    deliver_within(ctx, 0.2)
    assert time.monotonic() - began < 2
    assert len(ctx.state.outbox.waiting()) == 1


def test_killed_while_it_sends_it_is_sent_again_and_nothing_is_lost(
    tmp_path: Path, ctx: Context, clock: ManualClock, receiver: Receiver
) -> None:
    clock.at = datetime.now(UTC)
    announce(ctx, STAGE)
    receiver.holds.clear()
    flushing = subprocess.Popen(
        [sys.executable, "-m", "migrator", "notify", "flush"], cwd=tmp_path, env=os.environ
    )
    ends = time.monotonic() + 60
    while not receiver.received:
        assert time.monotonic() < ends
        time.sleep(0.02)
    flushing.send_signal(signal.SIGKILL)
    flushing.wait()
    receiver.holds.set()
    clock.at += timedelta(minutes=2)
    assert deliver(ctx).sent == 1
    assert len({one.headers[EVENT_ID] for one in receiver.received}) == 1


def test_announcing_never_fails_even_without_a_state(ctx: Context) -> None:
    ctx.state.engine.dispose()
    (ctx.root / ".migrator" / "state.db").unlink()
    (ctx.root / ".migrator" / "state.db").mkdir()
    announce(ctx, STAGE)
    deliver_within(ctx, 1)


def test_a_test_reaches_everybody_at_once(
    ctx: Context, receiver: Receiver, other: Receiver
) -> None:
    other.answers.append((404, {}))
    assert send_test(ctx) == {"env:TEST_HOOK": "", "env:OTHER_HOOK": "answered 404"}
    assert "nothing happened" in titles(receiver)[0]


def test_pauses_grow_and_end_within_the_hour() -> None:
    assert pause(1, chance=1) == timedelta(seconds=10)
    assert pause(3, chance=0) == timedelta(seconds=20)
    assert pause(30, chance=1) == timedelta(hours=1)


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("120", timedelta(minutes=2)),
        ("Mon, 23 Nov 2026 03:00:30 GMT", timedelta(seconds=30)),
        ("Mon, 23 Nov 2026 02:00:00 GMT", timedelta()),
        ("999999999", timedelta(days=1)),
        ("9" * 30, None),
        ("soon", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_both_forms(said: str | None, wait: timedelta | None) -> None:
    assert retry_after(said, now=AT) == wait


def test_without_a_webhook_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "migrator.toml").write_text(CONFIG)
    ctx = Team(tmp_path).context()
    announce(ctx, STAGE)
    assert ctx.state.outbox.waiting() == []
