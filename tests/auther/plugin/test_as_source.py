"""The plugin's statistics as the gates read them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from migrator.core.clock import SystemClock
from migrator.metrics.auther_statistics import AutherCounters, Statistics, StoredPasswords
from migrator.metrics.base import base_from_json
from migrator.metrics.both_sides import AutherLook
from migrator.metrics.interface import Grade
from migrator.metrics.look import Look
from migrator.metrics.measures import MEASURES, Terms
from tests.auther.plugin.door import ENVIRONMENT, SECRETS, person
from tests.auther.plugin.users import bcrypt_envelope
from tests.parts import require
from tests.parts.better_auth import BetterAuth, start
from tests.parts.serving import serving

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from migrator.metrics.interface import Reading
    from tests.auther.plugin.door import Door

PASSWORD = "correct horse"


def statistics(auther: BetterAuth, *, secret: str = SECRETS["STATISTICS"]) -> Statistics:
    return Statistics(f"{auther.base_url}/api/auth", secret, timedelta(seconds=10))


def read(measure: str, found: AutherLook, before: Mapping[str, Any] | None = None) -> Reading:
    base = base_from_json(before["base"]) if before else None
    terms = Terms(1, timedelta(seconds=30), control=True, base=base)
    look = Look(SystemClock().now(), auther=found)
    return MEASURES[measure].read(look, terms)  # type: ignore[index]


def test_sign_ins_failures_and_rehashes_are_counted_since_the_look_before(
    auther: BetterAuth, door: Door
) -> None:
    source = AutherCounters(statistics(auther))
    row = person(password=bcrypt_envelope(PASSWORD))
    door.upsert(row)
    before = source.look()
    assert before.doubts == ()
    first = {
        name: read(name, before)
        for name in ("auther_sign_ins", "auther_sign_in_failures", "auther_rehash_failures")
    }
    assert [reading.value for reading in first.values()] == [None, None, None]
    auther.sign_in(row["user"]["email"], "wrong horse")
    auther.sign_in(row["user"]["email"], PASSWORD)
    now = source.look()
    assert now.rehashed == before.rehashed + 1
    assert now.wrong["bcrypt"] == before.wrong.get("bcrypt", 0) + 1
    counted = {name: read(name, now, reading.evidence) for name, reading in first.items()}
    assert {name: reading.value for name, reading in counted.items()} == {
        "auther_sign_ins": 1,
        "auther_sign_in_failures": 1,
        "auther_rehash_failures": 0,
    }
    assert [reading.doubts for reading in counted.values()] == [(), (), ()]


def test_users_whose_legacy_hash_is_still_there_are_counted(
    auther: BetterAuth, door: Door
) -> None:
    source = StoredPasswords(statistics(auther))
    door.upsert(person(password=bcrypt_envelope(PASSWORD)))
    before = source.look()
    door.upsert(person(password=bcrypt_envelope(PASSWORD)))
    now = source.look()
    assert (now.doubts, now.ours) == ((), before.ours + 1)
    terms = Terms(1, timedelta(seconds=30), control=True, base=None)
    values = [
        MEASURES["unrehashed_users"].read(Look(SystemClock().now(), passwords=found), terms).value
        for found in (before, now)
    ]
    assert values[1] - values[0] == 1


def test_another_secret_or_no_plugin_is_an_error_that_says_what_to_look_at(
    auther: BetterAuth,
) -> None:
    (wrong,) = AutherCounters(statistics(auther, secret="x" * 40)).look().doubts
    assert wrong.grade is Grade.ERROR
    assert wrong.reason.endswith("answers 401: another secret than [plugin] statistics_secret")
    elsewhere = statistics(auther)._replace(api=f"{auther.base_url}/nowhere")
    (none,) = StoredPasswords(elsewhere).look().doubts
    assert none.reason.endswith(
        "answers 404: no plugin there, or without MIGRATOR_SECRET_STATISTICS"
    )


def test_an_auther_that_was_killed_is_an_error_and_counts_from_zero_afterwards(
    tmp_path: Path,
) -> None:
    require("node")
    with start(tmp_path / "auther.db", env=ENVIRONMENT) as auther:
        source = AutherCounters(statistics(auther))
        first = read("auther_sign_ins", source.look())
        port = int(auther.base_url.rpartition(":")[2])
    (doubt,) = source.look().doubts
    assert doubt.grade is Grade.ERROR
    away = read("auther_sign_ins", source.look(), first.evidence)
    assert (away.value, len(away.doubts)) == (None, 1)
    with start(tmp_path / "auther.db", env=ENVIRONMENT, port=port):
        back = read("auther_sign_ins", source.look(), away.evidence)
    assert (back.value, back.doubts) == (0, ())


@pytest.mark.parametrize("count", [0, 3])
def test_processes_that_take_turns_behind_one_address_prove_nothing_when_they_counted(
    count: int,
) -> None:
    first, second = (
        AutherLook(process=name, started_at_s=1_700_000_000, right={"bcrypt": count})
        for name in ("one", "two")
    )
    begun = read("auther_sign_ins", first)
    turned = read("auther_sign_ins", second, begun.evidence)
    back = read("auther_sign_ins", first, turned.evidence)
    expected = [Grade.AMBIGUOUS] if count else []
    assert [doubt.grade for doubt in turned.doubts] == expected
    assert [doubt.grade for doubt in back.doubts] == expected


def test_a_plugin_that_is_older_is_unproven_and_a_page_is_an_error() -> None:
    said = iter([b'{"version":"1"}', b'{"version":"1"}', b"<html>", b"[1]"])
    with serving(lambda _path: (200, {}, next(said))) as url:
        asked = Statistics(url, "secret", timedelta(seconds=5))
        (counters,) = AutherCounters(asked).look().doubts
        (passwords,) = StoredPasswords(asked).look().doubts
        pages = [AutherCounters(asked).look().doubts[0].reason for _ in range(2)]
    assert counters == passwords
    assert counters.grade is Grade.UNPROVEN
    assert pages == [f"Auther at {url}: the answer is no JSON object"] * 2
