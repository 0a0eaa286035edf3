"""A wrong table, prefix or database is empty too: a zero needs a control."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from migrator.core.clock import ManualClock, iso
from migrator.metrics.interface import Grade, SessionsLook, StoreMark
from migrator.metrics.look import Look
from migrator.metrics.measures import MEASURES, Terms
from migrator.sessions.kept import store_key
from migrator.sessions.proven import ProvenStore, Silence
from migrator.sessions.registry import store_of
from migrator.state.store import open_state
from tests.parts.any_database import run_sql
from tests.sessions.stores import ROWS, fill, make_table, place

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.sessions.interface import HolderPage, Place, Store
    from migrator.state.store import State
    from tests.parts.redis import RedisServer

pytestmark = pytest.mark.xdist_group("sessions")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MARK = StoreMark("server/shop", "16384")


@pytest.fixture
def state(tmp_path: Path) -> State:
    return open_state("sqlite:state.db", root=tmp_path, clock=ManualClock(NOW))


def proven(
    state: State, where: Place, of: Store | None = None, silence: Silence | None = None
) -> ProvenStore:
    return ProvenStore(where, of or store_of(where), state.checkpoints, HOUR, silence)


def reasons(look: SessionsLook) -> list[str]:
    """Why the gate about sessions would be held."""
    reading = MEASURES["legacy_sessions"].read(
        Look(NOW, sessions=look), Terms(1, HOUR, control=True, base=None)
    )
    assert all(doubt.grade is Grade.UNPROVEN for doubt in look.unproven)
    return [doubt.reason for doubt in reading.doubts]


NEVER = "no session with a user was ever found in"


@dataclass(frozen=True)
class Counted:
    """A store that gives what was counted by hand."""

    found: SessionsLook

    def look(self) -> SessionsLook:
        return self.found

    def holders(self, *, after: str, rows: int) -> HolderPage:
        return pytest.fail(f"nobody asks for {rows} holders after {after!r}")


def counted(holding: int, age: timedelta | None, mark: StoreMark = MARK) -> Counted:
    written_at = None if age is None else NOW - age
    return Counted(SessionsLook(holding=holding, store=mark, written_at=written_at))


class Told:
    """Looks one after the other at one store by one configuration."""

    def __init__(self, state: State, **legacy: Any) -> None:
        self.state, self.where = state, place(clock=ManualClock(NOW), **legacy)

    def look(self, found: Counted, silence: Silence | None = None) -> list[str]:
        return reasons(proven(self.state, self.where, found, silence).look())


def test_a_zero_counts_where_a_user_was_seen_and_the_application_still_writes(
    state: State,
) -> None:
    told = Told(state)
    (never,) = told.look(counted(0, timedelta(0)))
    assert never.startswith(f"{NEVER} public.sessions")
    assert told.look(counted(3, timedelta(0))) == []
    assert told.look(counted(0, timedelta(0))) == []
    assert told.look(counted(0, HOUR)) == []


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (HOUR + timedelta(seconds=1), "public.sessions was last written to 1h 1s ago"),
        (None, "nobody can tell when public.sessions was written to"),
        (-HOUR, "public.sessions was written to in 1h"),
    ],
)
def test_a_store_that_nobody_writes_to_may_be_one_that_was_left(
    state: State, age: timedelta | None, said: str
) -> None:
    told = Told(state)
    told.look(counted(1, timedelta(0)))
    for few in (0, 1):
        (reason,) = told.look(counted(few, age))
        assert reason.startswith(said)
        assert reason.endswith("migrator gate acknowledge --sessions")


def test_what_was_seen_elsewhere_proves_nothing_here(state: State) -> None:
    Told(state).look(counted(1, timedelta(0)))
    assert Told(state, model="AdminUser").look(counted(0, timedelta(0)))[0].startswith(NEVER)
    assert Told(state, sessions_table="public.old").look(counted(0, timedelta(0)))
    other = StoreMark("server/staging", "16384")
    assert Told(state).look(counted(0, timedelta(0), other))[0].startswith(NEVER)


def test_a_silence_is_acknowledged_for_one_table_and_until_something_is_written(
    state: State,
) -> None:
    told = Told(state)
    told.look(counted(1, timedelta(0)))
    silence = Silence(store_key(told.where.legacy), MARK.made, NOW - HOUR)
    assert told.look(counted(0, 3 * HOUR), silence) == []
    assert told.look(counted(0, None), silence) == []
    assert told.look(counted(0, None, StoreMark(MARK.place, "17000")), silence)
    Told(state, session_ttl="1d").look(counted(1, timedelta(0)))
    later = ManualClock(NOW + 3 * HOUR)
    again = proven(state, place(clock=later), counted(0, timedelta(0)), silence)
    assert reasons(again.look())[0].startswith("public.sessions was last written to 3h ago")


def test_a_silence_is_no_word_about_a_store_where_nobody_was_seen(state: State) -> None:
    told = Told(state)
    silence = Silence(store_key(told.where.legacy), MARK.made, NOW)
    assert [reason.startswith(NEVER) for reason in told.look(counted(0, HOUR), silence)] == [True]


def test_rails_table_tells_when_it_was_written_to_and_a_new_one_is_another(
    anywhere: str, state: State
) -> None:
    clock = ManualClock(NOW)
    where = place(clock=clock)
    fill(anywhere, ["user", "visitor"], at=f"{NOW - HOUR:%Y-%m-%d %H:%M:%S}")
    first = proven(state, where).look()
    assert (first.written_at, first.user_seen_at, reasons(first)) == (NOW - HOUR, NOW, [])
    run_sql(anywhere, "DELETE FROM sessions WHERE session_id = '2::user0'")
    assert reasons(proven(state, where).look()) == []
    clock.at += timedelta(seconds=1)
    assert "was last written to 1h 1s ago" in reasons(proven(state, where).look())[0]
    run_sql(anywhere, "DELETE FROM sessions")
    assert reasons(proven(state, where).look())[0].startswith("nobody can tell when")


def test_an_empty_table_beside_the_right_one(
    fresh_db: str, state: State, monkeypatch: Any
) -> None:
    monkeypatch.setenv("SESSIONS_DSN", fresh_db)
    make_table(fresh_db)
    run_sql(fresh_db, "CREATE TABLE old_sessions (LIKE sessions)")
    fill(fresh_db, ["user"], at=f"{NOW:%Y-%m-%d %H:%M:%S}")
    right, wrong = place(clock=ManualClock(NOW)), place(sessions_table="public.old_sessions")
    mark = proven(state, right).look().store
    assert reasons(proven(state, wrong).look())[0].startswith(f"{NEVER} public.old_sessions")
    proven(state, right).look()
    run_sql(fresh_db, "DROP TABLE sessions")
    make_table(fresh_db)
    again = proven(state, right).look()
    assert mark is not None
    assert again.store is not None
    assert (mark.place, mark.made != again.store.made) == (again.store.place, True)


def redis_place(*, url: str = "env:SESSIONS_REDIS_URL", prefix: str = "session:") -> Place:
    where = {"url": url, "prefix": prefix, "format": "rails"}
    return place(session_store="redis", sessions=where, session_ttl="1h")


def test_in_redis_a_wrong_prefix_or_number_is_empty_and_proves_nothing(
    redis: RedisServer, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER_NUMBER", redis.url.rpartition("/")[0] + "/1")
    with redis.connect() as client:
        client.set("session:2::a", b64decode(str(ROWS["visitor"]["data"])), ex=3600)
        client.set("session:2::b", b64decode(str(ROWS["user"]["data"])), ex=3600)
    assert reasons(proven(state, redis_place()).look()) == []
    with redis.connect() as client:
        client.delete("session:2::b")
    assert reasons(proven(state, redis_place()).look()) == []
    for wrong in (redis_place(prefix="sessions:"), redis_place(url="env:OTHER_NUMBER")):
        look = proven(state, wrong).look()
        assert (look.seen, look.doubts) == (0, ())
        assert reasons(look)[0].startswith(f"{NEVER} Redis")
    monkeypatch.setenv("SESSIONS_REDIS_URL", redis.url.rpartition("/")[0] + "/1")
    assert reasons(proven(state, redis_place()).look())[0].startswith(NEVER)


def test_in_redis_the_time_that_is_left_tells_when_a_session_was_written(
    redis: RedisServer, state: State
) -> None:
    visitor = b64decode(str(ROWS["visitor"]["data"]))
    with redis.connect() as client:
        client.set("session:2::b", b64decode(str(ROWS["user"]["data"])), ex=3600)
        proven(state, redis_place()).look()
        client.delete("session:2::b")
        client.set("session:2::a", visitor, ex=1800)
        look = proven(state, redis_place()).look()
        assert look.written_at is not None
        assert abs(place().clock.now() - look.written_at - timedelta(minutes=30)) < timedelta(
            minutes=1
        )
        assert reasons(look) == []
        client.set("session:2::a", visitor)
    assert reasons(proven(state, redis_place()).look())[0].startswith("nobody can tell when")


def test_laravel_django_and_a_select_tell_when_a_session_was_written(
    fresh_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SESSIONS_DSN", fresh_db)
    run_sql(fresh_db, "CREATE TABLE sessions (id text, user_id bigint, last_activity integer)")
    run_sql(fresh_db, f"INSERT INTO sessions VALUES ('a', NULL, {int(NOW.timestamp())})")
    run_sql(
        fresh_db,
        "CREATE TABLE django_session (session_key text, session_data text, expire_date timestamptz)",
    )
    run_sql(
        fresh_db,
        f"INSERT INTO django_session VALUES ('a', 'e30:a:b', '{iso(NOW + timedelta(days=1))}')",
    )
    clock = ManualClock(NOW)
    query = {"query": "SELECT user_id, to_timestamp(last_activity) AS used_at FROM sessions"}
    counts = {"query": f"SELECT 0 AS holding, '{iso(NOW)}'::timestamptz AS written_at"}
    ended = {"query": "SELECT NULL::text AS user_id, expire_date AS ends_at FROM django_session"}
    for settings in (
        {"session_store": "laravel"},
        {"session_store": "django", "sessions_table": "public.django_session"},
        {"session_store": "sql", "sessions": query},
        {"session_store": "sql", "sessions": counts},
        {"session_store": "sql", "sessions": ended},
    ):
        look = store_of(place(clock=clock, session_ttl="1d", **settings)).look()
        assert (look.written_at, look.doubts) == (NOW, ()), settings
        assert look.store is not None
