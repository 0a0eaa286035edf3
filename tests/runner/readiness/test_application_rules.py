"""What follows from the application's code, each rule alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from migrator.application.interface import ApplicationFindings, Place, SessionStore, Sign
from migrator.config.model import Config
from migrator.runner.readiness.application_rules import ruby_duration
from migrator.runner.readiness.verdict import judge
from tests.runner.readiness.test_verdict import CONFIG, FINDINGS, config

RUNBOOK = Path(__file__).parents[3] / "runbooks" / "p0-preflight.md"
APP = ApplicationFindings(
    framework="rails",
    root="/app",
    files=3,
    versions={},
    models={"User": ("database_authenticatable",)},
    scopes=("users",),
    session_store=SessionStore("activerecord", "2.weeks"),
    settings={"remember_for": "14.days", "unlock_in": "1.hour"},
    secrets_set=(),
    ignores_columns=("User",),
    signs={},
    unread={},
)


def codes(app: ApplicationFindings, **sections: dict[str, Any]) -> list[str]:
    verdict = judge(replace(FINDINGS, application=app), config(**sections))
    assert verdict.ready
    return [reason.code for reason in verdict.warnings]


def with_sign(sign: Sign) -> ApplicationFindings:
    return replace(APP, signs={sign: tuple(Place("a.rb", n, "x") for n in range(1, 6))})


def test_an_application_that_fits_asks_for_nothing() -> None:
    assert codes(APP) == []


CASES = {
    "foreign_bearers": with_sign(Sign.FOREIGN_BEARERS),
    "bypasses_hooks": with_sign(Sign.BYPASSES_HOOKS),
    "own_session_key": with_sign(Sign.OWN_SESSION_KEY),
    "checks_password": with_sign(Sign.CHECKS_PASSWORD),
    "sign_in_hooks": with_sign(Sign.HOOKS),
    "own_strategies": with_sign(Sign.STRATEGIES),
    "http_basic": with_sign(Sign.HTTP_BASIC),
    "users_in_sql": with_sign(Sign.USERS_IN_SQL),
    "reads_legacy_columns": with_sign(Sign.LEGACY_COLUMNS),
    "doors_unknown": replace(APP, framework="express"),
    "other_models": replace(APP, models={**APP.models, "Admin": ()}),
    "ignored_columns_missing": replace(APP, ignores_columns=("Admin",)),
    "session_store_differs": replace(APP, session_store=SessionStore("", "")),
    "session_ttl_differs": replace(APP, session_store=SessionStore("activerecord", "1.day")),
    "remember_for_differs": replace(APP, settings={"remember_for": "3.weeks"}),
    "unlock_in_differs": replace(APP, settings={"unlock_in": "2.hours"}),
    "code_unread": replace(APP, unread={"lib/large.rb": "larger than 1024 KiB"}),
}


@pytest.mark.parametrize("code", CASES)
def test_each_sign_is_one_warning_that_the_runbook_knows(code: str) -> None:
    assert codes(CASES[code]) == [code]
    assert f"`{code}`" in RUNBOOK.read_text(encoding="utf-8")


def test_a_model_without_devise_is_said_beside_the_others() -> None:
    app = replace(APP, models={"Member": ()}, ignores_columns=("User",))
    assert codes(app) == ["other_models", "model_unknown"]


@pytest.mark.parametrize("decided", ["refuse", ["/api/"]])
def test_bearers_of_others_that_somebody_decided_about_are_no_warning(decided: Any) -> None:
    found = replace(FINDINGS, application=with_sign(Sign.FOREIGN_BEARERS))
    settings = Config.model_validate({**CONFIG, "shim": {"foreign_bearer": decided}})
    assert judge(found, settings).warnings == ()


def test_a_reason_shows_three_places_and_counts_the_rest() -> None:
    app = with_sign(Sign.HOOKS)
    (reason,) = judge(replace(FINDINGS, application=app), config()).warnings
    assert "a.rb:1 x, a.rb:2 x, a.rb:3 x and 2 more" in reason.text


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("2.weeks", timedelta(days=14)),
        ("1.month", timedelta(seconds=2_629_746)),
        ("TIMEOUT", None),
        ("1.week + 2.days", None),
        ("", None),
    ],
)
def test_durations_of_ruby(text: str, duration: timedelta | None) -> None:
    assert ruby_duration(text) == duration
