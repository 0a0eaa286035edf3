"""What the last visit to Auther, the operator's word and the measured capacity let pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from migrator.config.load import load
from migrator.core.clock import ManualClock, iso
from migrator.core.errors import HeldError, RefusedError
from migrator.core.progress import Progress
from migrator.runner.context import Context, make_context
from migrator.runner.standing_up.doors import check_capacity, check_doors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HERE = "https://id.example.org"
OPEN = {"sign_up": "found", "forgot_password": "found", "no_linking": "found"}
APPLICATION_S = """
sign_up_url = "https://club.example.org/register"
forgot_password_url = "https://club.example.org/password"
"""
CONFIG = """
[migration]
name = "club"
key = "env:KEY"
[legacy]
dsn = "env:DSN"
[auther]
database = "auther.db"
base_url = "https://id.example.org"
{auther}
[import]
verified_when = "always"
[stage]
signing_key = "file:stage.key"
expected_instances = 1
"""


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Context]:
    def made(
        states: dict[str, str] | None = None,
        *,
        auther: str = "",
        base_url: str = HERE,
        age: timedelta = timedelta(0),
    ) -> Context:
        path = tmp_path / "migrator.toml"
        path.write_text(CONFIG.format(auther=auther))
        clock = ManualClock(NOW - age)
        ctx = make_context(load(path), root=tmp_path, clock=clock, progress=Progress())
        if states is not None:
            with ctx.state.ledger.recorded("auther", "doctor", base_url=base_url) as facts:
                facts |= {"base_url": base_url, "states": states}
        clock.at = NOW
        return ctx

    return made


def test_open_doors_let_pass(make: Callable[..., Context]) -> None:
    check_doors(make(OPEN))


def test_nobody_passes_before_somebody_has_looked(make: Callable[..., Context]) -> None:
    with pytest.raises(HeldError, match="nobody has looked at Auther within 24 h") as held:
        check_doors(make())
    assert held.value.hint == "migrator auther doctor"


@pytest.mark.parametrize(
    "visit",
    [{"age": timedelta(hours=24, seconds=1)}, {"base_url": "https://staging.example.org"}],
    ids=["too long ago", "another Auther"],
)
def test_only_a_fresh_visit_to_this_auther_counts(
    make: Callable[..., Context], visit: dict[str, object]
) -> None:
    with pytest.raises(HeldError, match="nobody has looked"):
        check_doors(make(OPEN, **visit))


def test_a_visit_that_failed_is_none(make: Callable[..., Context]) -> None:
    ctx = make()
    intent = ctx.state.ledger.intent("auther", "doctor", base_url=HERE)
    ctx.state.ledger.outcome(intent, result="failed", error="no canary")
    with pytest.raises(HeldError, match="nobody has looked"):
        check_doors(ctx)


@pytest.mark.parametrize("code", OPEN)
def test_each_door_that_is_missing_refuses_and_unknown_holds(
    make: Callable[..., Context], code: str
) -> None:
    with pytest.raises(RefusedError, match="Auther is not ready"):
        check_doors(make(OPEN | {code: "missing"}))
    with pytest.raises(HeldError, match="not known of Auther"):
        check_doors(make(OPEN | {code: "unknown"}))
    without = {name: state for name, state in OPEN.items() if name != code}
    with pytest.raises(HeldError, match="not known of Auther"):
        check_doors(make(without))


def test_what_the_application_provides_is_not_asked_of_auther(
    make: Callable[..., Context],
) -> None:
    unseen = OPEN | {"sign_up": "unknown", "forgot_password": "unknown"}
    check_doors(make(unseen, auther=APPLICATION_S))


def test_the_operator_s_words_for_all_doors_need_no_visit(make: Callable[..., Context]) -> None:
    check_doors(make(auther=APPLICATION_S + "links_accounts = false"))
    with pytest.raises(HeldError, match=r": no linking of accounts by e-mail$"):
        check_doors(make(auther=APPLICATION_S))


@pytest.mark.parametrize("code", OPEN)
def test_what_was_seen_beats_the_operator_s_word(make: Callable[..., Context], code: str) -> None:
    """The page that the configuration names answers 404, for one."""
    words = APPLICATION_S + "links_accounts = false"
    with pytest.raises(RefusedError, match="Auther is not ready") as refused:
        check_doors(make(OPEN | {code: "missing"}, auther=words))
    assert refused.value.hint == "migrator auther doctor"


def measured(ctx: Context, per_second: float, *, base_url: str = HERE) -> Context:
    figure = {"base_url": base_url, "at": iso(NOW), "sign_ins_per_s": per_second}
    rest = {"concurrency": 8, "median_s": 0.2, "p95_s": 0.4}
    ctx.state.checkpoints.put("auther", "capacity", figure | rest)
    return ctx


def test_a_step_may_need_half_of_the_capacity(make: Callable[..., Context]) -> None:
    ctx = measured(make(auther="peak_sign_ins_per_s = 10"), 4)
    check_capacity(ctx, 0.2)
    with pytest.raises(RefusedError, match=r"needs 2\.10 sign-ins/s at the peak.* 2\.00"):
        check_capacity(ctx, 0.21)


def test_an_unmeasured_auther_holds_only_whoever_named_a_peak(
    make: Callable[..., Context],
) -> None:
    check_capacity(make(), 1.0)
    ctx = make(auther="peak_sign_ins_per_s = 0.1")
    for found in (ctx, measured(replace(ctx), 100, base_url="https://other.example.org")):
        with pytest.raises(HeldError, match="nobody has measured"):
            check_capacity(found, 0.01)
