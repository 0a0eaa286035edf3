from __future__ import annotations

import json
import pickle
import threading
from base64 import b64decode
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from migrator.core.clock import SystemClock
from migrator.metrics.interface import Grade, SessionsLook
from migrator.metrics.session_data import Holds
from migrator.sessions.key_tally import KeyTally
from migrator.sessions.redis_server import CLIENT_NAME, RedisReader
from migrator.sessions.tally import Tally
from tests.parts.redis import RedisServer, start_redis
from tests.sessions.stores import ROWS, store

if TYPE_CHECKING:
    from migrator.sessions.interface import Store

pytestmark = pytest.mark.xdist_group("sessions")
HOUR = 3600


def sessions(
    *, prefix: str = "session:", form: str = "rails", timeout_s: float = 10, ttl: str = "never"
) -> Store:
    where = {"url": "env:SESSIONS_REDIS_URL", "prefix": prefix, "format": form}
    return store(session_store="redis", sessions=where, timeout_s=timeout_s, session_ttl=ttl)


def put(redis: RedisServer, values: dict[str, bytes], *, ttl_s: int | None = HOUR) -> None:
    with redis.connect() as client:
        for key, value in values.items():
            client.set(key, value, ex=ttl_s)


def marshal(name: str) -> bytes:
    data = str(ROWS[name]["data"])
    return data.encode() if data.startswith("{") else b64decode(data)


def counts(look: SessionsLook) -> tuple[int, int, int, int]:
    return look.holding, look.others, look.anonymous, look.undecodable


def grades(look: SessionsLook) -> list[Grade]:
    return [doubt.grade for doubt in look.doubts]


def test_rails_sessions_are_counted_by_what_they_hold_and_by_when_they_end(
    redis: RedisServer,
) -> None:
    names = ("user", "user_in_json", "admin", "visitor", "nil")
    put(redis, {f"session:2::{name}": marshal(name) for name in names})
    put(redis, {"session:2::ever": marshal("user")}, ttl_s=None)
    put(redis, {"cart:1": b"3", "session": b"no prefix"})
    look = sessions().look()
    assert counts(look) == (3, 1, 2, 0)
    assert (look.endless, look.doubts) == (1, ())
    ((ends, number),) = look.ends
    assert number == 2
    assert timedelta() < ends - SystemClock().now() <= timedelta(hours=2)


def test_a_value_that_cannot_be_read_is_ambiguous(redis: RedisServer) -> None:
    put(redis, {"session:1": marshal("cut_off"), "session:2": b"\xff"})
    with redis.connect() as client:
        client.hset("session:3", "user", "1")
    look = sessions().look()
    assert (counts(look), grades(look)) == ((0, 0, 0, 3), [Grade.AMBIGUOUS])


def test_nothing_is_a_zero_without_doubt(redis: RedisServer) -> None:
    look = sessions().look()
    assert (look.seen, look.doubts) == (0, ())


def test_glob_characters_of_a_prefix_mean_themselves(redis: RedisServer) -> None:
    put(redis, {"s[a]*:1": marshal("user"), "sa:1": marshal("user")})
    assert sessions(prefix="s[a]*:").look().holding == 1


EXPRESS: dict[str, Any] = {
    "user": {"cookie": {"maxAge": 1}, "passport": {"user": "42"}},
    "numbered": {"cookie": {}, "passport": {"user": 7}},
    "signed_out": {"cookie": {}, "passport": {}},
    "visitor": {"cookie": {}, "cart": ["passport"]},
}


def test_express_keeps_passports_user_in_json(redis: RedisServer) -> None:
    put(redis, {f"sess:{name}": json.dumps(value).encode() for name, value in EXPRESS.items()})
    put(redis, {"sess:odd": b'{"passport"', "sess:list": b"[1]"})
    look = sessions(prefix="sess:", form="express").look()
    assert counts(look) == (2, 0, 2, 2)
    found = sessions(prefix="sess:", form="express").holders(after="", rows=50)
    assert ({holder.user for holder in found.holders}, found.after) == ({"42", "7"}, None)


class Bomb:
    """What a pickle that is loaded would do."""

    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("a pickle was loaded",)


def test_a_pickle_of_django_is_searched_and_never_loaded(redis: RedisServer) -> None:
    values = {
        "user": pickle.dumps({"_auth_user_id": "3", "trap": Bomb()}),
        "visitor": pickle.dumps({"cart": Bomb()}),
        "json": b'{"_auth_user_id": "9"}',
        "odd": b"gzip?",
    }
    put(
        redis, {f":1:django.contrib.sessions.cache{name}": value for name, value in values.items()}
    )
    form = sessions(prefix=":1:django.contrib.sessions.cache", form="django")
    assert counts(form.look()) == (2, 0, 1, 1)
    assert {holder.user for holder in form.holders(after="", rows=9).holders} == {None, "9"}


def test_plain_keys_hold_a_user_each_and_none_is_shown(redis: RedisServer) -> None:
    put(redis, {"tok:s3cret-token": b"anything"})
    form = sessions(prefix="tok:", form="plain")
    assert form.look().holding == 1
    (holder,) = form.holders(after="", rows=5).holders
    assert (holder.user, len(holder.key_hash)) == (None, 16)
    assert "s3cret" not in repr(holder)


def test_a_key_that_a_scan_gives_twice_counts_once(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(redis, {f"session:{number}": marshal("user") for number in range(30)})
    scan = RedisReader.scan

    def scan_thrice(reader: RedisReader, cursor: int, prefix: str) -> Any:
        following, found = scan(reader, cursor, prefix)
        return following, found * 3

    monkeypatch.setattr(RedisReader, "scan", scan_thrice)
    assert sessions().look().holding == 30


def test_of_a_key_that_is_seen_twice_what_is_worse_counts() -> None:
    keys, tally = KeyTally(), Tally()
    for holds, left_ms in ((Holds.USER, -1), (Holds.NOBODY, 5), (Holds.USER, 7_200_000)):
        keys.add(b"one", holds, left_ms)
    keys.add(b"two", Holds.UNKNOWN, -1)
    keys.into(tally, at=SystemClock().now())
    look = tally.look()
    assert (counts(look), look.endless) == ((1, 0, 0, 1), 1)


def test_a_scan_that_runs_out_of_time_is_at_least_what_it_says(redis: RedisServer) -> None:
    put(redis, {f"session:{number}": marshal("user") for number in range(3000)})
    look = sessions(timeout_s=0.001).look()
    assert grades(look)[-1] in {Grade.UNPROVEN, Grade.ERROR}
    assert look.holding < 3000


def test_nothing_but_reading_is_asked_under_a_name_of_our_own(redis: RedisServer) -> None:
    put(redis, {"session:1": marshal("user")})
    with redis.connect() as client:
        client.acl_setuser(
            "reader",
            enabled=True,
            passwords=["+read"],
            keys=["session:*"],
            commands=[
                "+scan",
                "+mget",
                "+pttl",
                "+info",
                "+client|setname",
                "+select",
            ],
        )
        url = f"redis://reader:read@127.0.0.1:{redis.port}/0"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SESSIONS_REDIS_URL", url)
        assert (sessions().look().holding, sessions().look().doubts) == (1, ())
        with redis.connect() as client:
            client.acl_setuser("reader", enabled=True, commands=["-info"])
        assert grades(sessions().look()) == [Grade.UNPROVEN]
    assert CLIENT_NAME.startswith("migrator")


def test_a_server_that_is_gone_loading_or_refuses_is_an_error_and_the_next_look_counts(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = start_redis()
    monkeypatch.setenv("SESSIONS_REDIS_URL", own.url)
    put(own, {"session:1": marshal("user")})
    assert sessions().look().holding == 1
    own.stop()
    look = sessions().look()
    assert grades(look) == [Grade.ERROR]
    assert own.password not in look.doubts[0].reason
    monkeypatch.setenv("SESSIONS_REDIS_URL", f"redis://:wrong@127.0.0.1:{redis.port}/0")
    assert grades(sessions().look()) == [Grade.ERROR]
    again = start_redis(port=own.port, password=own.password)
    monkeypatch.setenv("SESSIONS_REDIS_URL", own.url)
    put(again, {"session:1": marshal("user")})
    assert (sessions().look().holding, sessions().look().doubts) == (1, ())
    again.stop()


def test_a_server_that_loads_its_data_is_an_error_until_it_has_them(redis: RedisServer) -> None:
    put(redis, {f"session:{number}": marshal("user") for number in range(60)})
    with redis.connect() as client:
        client.config_set("key-load-delay", 10_000)
        reload = threading.Thread(target=client.execute_command, args=("DEBUG", "RELOAD"))
        reload.start()
        looks = [sessions().look()]
        while reload.is_alive():
            looks.append(sessions().look())
        reload.join()
        client.config_set("key-load-delay", 0)
    reasons = {doubt.reason for look in looks for doubt in look.doubts}
    assert reasons == {"Redis is loading its data set"}
    assert (sessions().look().holding, sessions().look().doubts) == (60, ())


def test_a_connection_lost_in_mid_scan_is_at_least_what_was_read(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(redis, {f"session:{number}": marshal("user") for number in range(3000)})
    scan = RedisReader.scan

    def scan_and_fail_over(reader: RedisReader, cursor: int, prefix: str) -> Any:
        found = scan(reader, cursor, prefix)
        with redis.connect() as client:
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        return found

    monkeypatch.setattr(RedisReader, "scan", scan_and_fail_over)
    look = sessions().look()
    assert (grades(look), 0 < look.holding < 3000) == ([Grade.ERROR], True)
    monkeypatch.setattr(RedisReader, "scan", scan)
    assert (sessions().look().holding, sessions().look().doubts) == (3000, ())


def test_a_replica_counts_while_it_is_in_step_and_not_when_promoted_in_mid_scan(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(redis, {"session:1": marshal("user")})
    replica = start_redis("--replicaof", f"127.0.0.1 {redis.port}", password=redis.password)
    try:
        with replica.connect() as client:
            while client.info("replication").get("master_link_status") != "up":
                pass
            monkeypatch.setenv("SESSIONS_REDIS_URL", replica.url)
            assert (sessions().look().holding, sessions().look().doubts) == (1, ())
            scan = RedisReader.scan

            def promoted(reader: RedisReader, cursor: int, prefix: str) -> Any:
                client.replicaof("NO", "ONE")
                return scan(reader, cursor, prefix)

            monkeypatch.setattr(RedisReader, "scan", promoted)
            look = sessions().look()
            assert (look.holding, grades(look)) == (1, [Grade.UNPROVEN])
            assert "changed during the scan, slave to master" in look.doubts[0].reason
            monkeypatch.setattr(RedisReader, "scan", scan)
            assert sessions().look().doubts == ()
            client.replicaof("127.0.0.1", "9")
            assert "a replica that" in sessions().look().doubts[0].reason
    finally:
        replica.stop()
