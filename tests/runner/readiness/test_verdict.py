"""Each rule alone, on findings that are fine but for one thing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migrator.auther.live.probe import Probe
from migrator.auther.ways.inspect import Contents, FileFacts
from migrator.config.model import Config
from migrator.legacy.canaries import CanaryResult
from migrator.legacy.findings import (
    Activity,
    Census,
    ForeignKey,
    Identities,
    LaravelTokens,
    LegacySurvey,
    OddTimes,
    Problem,
    Relation,
    Server,
    SessionStore,
    States,
)
from migrator.runner.readiness.findings import AutherFindings, Findings, Forecast
from migrator.runner.readiness.verdict import judge

RUNBOOK = Path(__file__).parents[3] / "runbooks" / "p0-preflight.md"
CONFIG: dict[str, Any] = {
    "migration": {"name": "club", "key": "env:KEY"},
    "legacy": {"dsn": "env:DSN", "session_ttl": "14d"},
    "auther": {"database": "auther.db", "base_url": "https://id", "issuers": ["https://id"]},
    "import": {"verified_when": "confirmed"},
    "stage": {"signing_key": "env:KEY", "expected_instances": 1},
}
RELATION = Relation(
    oid=1,
    kind="r",
    owner="app",
    owned=True,
    rows_hidden=False,
    writable=True,
    schema_usable=True,
    schema_creatable=True,
    rows_estimate=10,
    total_bytes=8192,
    table_bytes=8192,
)
LEGACY = LegacySurvey(
    server=Server(
        version="15.4",
        version_num=150_004,
        database="app",
        role="app",
        is_replica=False,
        encoding="UTF8",
        sees_all_activity=True,
    ),
    table="public.users",
    relation=RELATION,
    key_type="bigint",
    key_range=("1", "10"),
    modules=("confirmable", "database_authenticatable"),
    unreadable_columns=(),
    states=States(
        users=10,
        active=10,
        unconfirmed=0,
        pending_email_change=0,
        locked_now=0,
        lock_expired=0,
        soft_deleted=0,
        second_factor=0,
        without_password=0,
        active_with_password=10,
        remembered=0,
        last_remembered=None,
    ),
    odd_times=(),
    foreign_keys=(),
    loose_references=(),
    identities=Identities("", {}, 0, 0, ()),
    sessions=SessionStore("activerecord", "public.sessions", "", 5),
    activity=Activity(0, 0.0, 0),
    bearer_tables=(),
    identity_table=None,
)
FINDINGS = Findings(
    legacy=LEGACY,
    has_primary_key=True,
    remembered_until=None,
    census=Census(read=10, seconds=2.0, schemes={"bcrypt": 10}, unclaimed=0),
    forecast=Forecast(10, 0, {}, {}, {}, ()),
    canaries=(CanaryResult("a@b.co", pepper="none"),),
    auther=AutherFindings(
        file=FileFacts(Path("auther.db"), True, True, 10**12, journal_mode="delete"),
        schema="better-auth 1.3",
        refusal="",
        contents=Contents(0, 0, 0, 0, True),
        probe=Probe("https://id", "", "https://id", ("EdDSA",), issuer_known=True),
    ),
)


def config(**changes: dict[str, Any]) -> Config:
    sections = {name: {**values, **changes.get(name, {})} for name, values in CONFIG.items()}
    return Config.model_validate(sections)


def legacy(**changes: Any) -> Findings:
    return replace(FINDINGS, legacy=replace(LEGACY, **changes))


def server(**changes: Any) -> Findings:
    return legacy(server=replace(LEGACY.server, **changes))


def relation(**changes: Any) -> Findings:
    return legacy(relation=replace(RELATION, **changes))


def states(**changes: Any) -> Findings:
    return legacy(states=replace(LEGACY.states, **changes))


def auther(**changes: Any) -> Findings:
    return replace(FINDINGS, auther=replace(FINDINGS.auther, **changes))


def file(**changes: Any) -> Findings:
    return auther(file=replace(FINDINGS.auther.file, **changes))


def probed(**changes: Any) -> Findings:
    assert FINDINGS.auther.probe is not None
    return auther(probe=replace(FINDINGS.auther.probe, **changes))


def rejected(**reasons: int) -> Findings:
    return replace(FINDINGS, forecast=Forecast(10, 0, reasons, {}, {}, ()))


def key(**changes: Any) -> ForeignKey:
    whole = ForeignKey("public", "orders", "fk", ("user_id",), "CASCADE", True, 5, True)
    return replace(whole, **changes)


def test_findings_without_fault_are_ready_without_a_word() -> None:
    verdict = judge(FINDINGS, config())
    assert verdict.ready
    assert (verdict.blockers, verdict.warnings) == ((), ())


BLOCKING = {
    "standby": server(is_replica=True),
    "no_table": relation(kind="v"),
    "no_primary_key": replace(FINDINGS, has_primary_key=False),
    "no_users": states(users=0),
    "row_security": relation(rows_hidden=True),
    "no_create": relation(schema_creatable=False),
    "identity_table_closed": legacy(identity_table=replace(RELATION, writable=False)),
    "nobody_verified": legacy(modules=("database_authenticatable",)),
    "canary_failed": replace(FINDINGS, canaries=(CanaryResult("a@b.co", fault="no such user"),)),
    "nobody_imported": replace(
        FINDINGS, forecast=Forecast(0, 0, {"email_missing": 10}, {}, {}, ())
    ),
    "auther_schema": auther(refusal="account.issuer is there"),
    "auther_file": file(fault="file is not a database"),
    "auther_folder": file(folder_writable=False),
    "auther_locked": file(locked=True),
    "auther_open": file(opened_by=(4711,)),
    "auther_unreachable": auther(file=None, contents=None, schema="", fault="no answer"),
    "disk": file(free_bytes=10_000),
    "issuer": probed(issuer="https://else", issuer_known=False),
    "algorithm": probed(algorithms=("RSA",)),
}


@pytest.mark.parametrize("code", BLOCKING)
def test_what_stops_the_import_is_named_once_with_what_to_do(code: str) -> None:
    verdict = judge(BLOCKING[code], config())
    assert not verdict.ready
    assert [reason.code for reason in verdict.blockers] == [code]
    assert verdict.blockers[0].todo


@pytest.mark.parametrize("code", BLOCKING)
def test_the_runbook_says_what_to_do_about_it(code: str) -> None:
    assert f"`{code}`" in RUNBOOK.read_text(encoding="utf-8")


def test_nobody_could_sign_in_where_everybody_is_unconfirmed() -> None:
    (reason,) = judge(states(unconfirmed=10), config()).blockers
    assert (reason.code, "everybody is unconfirmed" in reason.text) == ("nobody_verified", True)


WARNING = {
    "rejects": rejected(email_missing=2),
    "target_taken": rejected(target_taken=1),
    "key_type": legacy(key_type="uuid"),
    "peppers_unproven": replace(FINDINGS, canaries=()),
    "unclaimed_hashes": replace(FINDINGS, census=replace(FINDINGS.census, unclaimed=3)),
    "email_shared": replace(
        FINDINGS, census=replace(FINDINGS.census, emails={"shared": Problem(2)})
    ),
    "username_refused": replace(
        FINDINGS, census=replace(FINDINGS.census, emails={"username_refused": Problem(2)})
    ),
    "odd_times": legacy(odd_times=(OddTimes("updated_at", 1, 0),)),
    "second_factor": states(second_factor=1),
    "unconfirmed": states(unconfirmed=1),
    "identities_not_configured": legacy(
        identities=Identities("", {}, 0, 4, ("public.identities",))
    ),
    "no_way_in": legacy(identities=Identities("", {}, 0, 4, ())),
    "remember_tokens": legacy(laravel=LaravelTokens(remember_me=1, factors_begun=0, api=0)),
    "factors_begun": legacy(laravel=LaravelTokens(remember_me=0, factors_begun=1, api=0)),
    "api_tokens": legacy(laravel=LaravelTokens(remember_me=0, factors_begun=0, api=1)),
    "other_bearers": legacy(bearer_tables=("public.oauth_access_tokens",)),
    "cookie_sessions": legacy(sessions=SessionStore("cookie")),
    "sessions_uncounted": legacy(
        sessions=SessionStore("activerecord", "s", fault="there is no table s")
    ),
    "not_owner": relation(owned=False),
    "unreadable_columns": legacy(unreadable_columns=("reset_password_token",)),
    "long_transactions": legacy(activity=Activity(1, 4000.0, 0)),
    "activity_unseen": server(sees_all_activity=False),
    "old_server": server(version="12.1", version_num=120_001),
    "sql_ascii": server(encoding="SQL_ASCII"),
    "unindexed_references": legacy(foreign_keys=(key(), key(indexed=False))),
    "auther_not_probed": auther(probe=None),
    "auther_silent": probed(fault="did not answer", issuer="", algorithms=()),
    "plain_http": probed(encrypted=False),
}


@pytest.mark.parametrize("code", WARNING)
def test_what_needs_care_stops_nothing(code: str) -> None:
    verdict = judge(WARNING[code], config())
    assert verdict.ready
    assert code in [reason.code for reason in verdict.warnings]
    assert {reason.code for reason in verdict.warnings} <= {code, "rejects"}


@pytest.mark.parametrize(
    ("code", "section", "change"),
    [
        ("endless_sessions", "legacy", {"session_ttl": "never"}),
        ("all_unverified", "import", {"verified_when": "never"}),
        ("no_issuers", "auther", {"issuers": []}),
        ("pepper_unused", "legacy", {"peppers": [{"id": "2024", "value": "env:P"}]}),
    ],
)
def test_settings_that_need_care_are_named(
    code: str, section: str, change: dict[str, Any]
) -> None:
    verdict = judge(FINDINGS, config(**{section: change}))
    assert verdict.ready
    assert [reason.code for reason in verdict.warnings] == [code]


def test_an_open_file_in_wal_mode_shuts_nobody_out() -> None:
    assert judge(file(opened_by=(4711,), journal_mode="wal"), config()).warnings == ()


def test_a_missing_index_is_fine_when_the_import_makes_it() -> None:
    bare = auther(contents=Contents(0, 0, 0, 0, account_index=False))
    assert judge(bare, config()).warnings == ()
    reasons = judge(bare, config(**{"import": {"account_index": False}})).warnings
    assert [reason.code for reason in reasons] == ["account_index"]


def test_the_estimate_adds_what_was_measured_and_what_is_assumed() -> None:
    assert FINDINGS.read_rate == 5.0
    assert FINDINGS.import_estimate_s == pytest.approx(2.001)
    unmeasured = replace(FINDINGS, census=replace(FINDINGS.census, seconds=0.0))
    assert unmeasured.read_rate is None
