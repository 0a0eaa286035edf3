"""Sessions in Redis: all keys with a prefix, each with the time that it has left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from migrator.metrics.interface import Grade, StoreMark
from migrator.metrics.session_data import UNKNOWN, Content, Holds, warden_scope
from migrator.sessions.interface import Holder, HolderPage, key_hash
from migrator.sessions.key_tally import KeyTally
from migrator.sessions.redis_server import open_redis
from migrator.sessions.redis_values import reader_of
from migrator.sessions.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from migrator.metrics.interface import SessionsLook
    from migrator.sessions.interface import Place
    from migrator.sessions.redis_server import Entry, RedisReader, Server
    from migrator.sessions.redis_values import Reader

WHAT = "the sessions in Redis"


@dataclass(frozen=True)
class RedisStore:
    """Scans all keys at each look; a key that the scan gives twice counts once."""

    place: Place

    def look(self) -> SessionsLook:
        """Scan once; what a failover interrupted is a doubt, and the next look begins anew."""
        tally, keys = Tally(), KeyTally()
        with tally.doubting(WHAT, self.place):
            try:
                with self._open() as redis:
                    before = redis.server()
                    whole = self._scan(redis, keys, tally)
                    _doubt_the_server(tally, before, redis.server())
            finally:
                keys.into(tally, at=self.place.clock.now())
            if not whole:
                tally.too_slow(WHAT, self.place)
        return tally.look()

    def holders(self, *, after: str, rows: int) -> HolderPage:
        """Give sessions as a scan does; one may come twice."""
        found: list[Holder] = []
        read, cursor = self._reader(), int(after or 0)
        with self._open() as redis:
            while len(found) < rows:
                cursor, entries = redis.scan(cursor, self.place.legacy.sessions.prefix)
                now = self.place.clock.now()
                contents = [(entry, _content(entry, read)) for entry in entries]
                found += [_holder(e, c, now) for e, c in contents if c.holds is Holds.USER]
                if cursor == 0:
                    break
        return HolderPage(tuple(found), str(cursor) if cursor else None)

    def _scan(self, redis: RedisReader, keys: KeyTally, tally: Tally) -> bool:
        """Read all keys; give whether there was time for all."""
        read, prefix = self._reader(), self.place.legacy.sessions.prefix
        until, cursor = self.place.until(), 0
        while True:
            cursor, entries = redis.scan(cursor, prefix)
            tally.written(self._written_at(entries))
            for entry in entries:
                keys.add(entry.key, _content(entry, read).holds, entry.left_ms)
            if cursor == 0:
                return True
            if self.place.clock.now() > until:
                return False

    def _written_at(self, entries: Sequence[Entry]) -> datetime | None:
        """Give when one of them was written last: each write lets it live `session_ttl` from then on."""
        longest_ms = max((entry.left_ms for entry in entries), default=-1)
        ttl = self.place.legacy.session_ttl
        if ttl is None or longest_ms < 0:
            return None
        return self.place.clock.now() + timedelta(milliseconds=longest_ms) - ttl

    def _open(self) -> AbstractContextManager[RedisReader]:
        url = self.place.legacy.sessions.url
        assert url is not None  # noqa: S101 - the configuration says so
        return open_redis(url.reveal(self.place.root), limit_s=self.place.limit_s)

    def _reader(self) -> Reader:
        legacy = self.place.legacy
        return reader_of(legacy.sessions.format, scope=warden_scope(legacy.model))


def _content(entry: Entry, read: Reader) -> Content:
    return UNKNOWN if entry.value is None else read(entry.value)


def _holder(entry: Entry, content: Content, now: datetime) -> Holder:
    ends = None if entry.left_ms < 0 else now + timedelta(milliseconds=entry.left_ms)
    return Holder(content.user, ends_at=ends, key_hash=key_hash(entry.key))


def _doubt_the_server(tally: Tally, before: Server | None, after: Server | None) -> None:
    if before is None or after is None:
        tally.doubt(Grade.UNPROVEN, f"{WHAT}: nobody knows who answered: let our user run INFO")
        return
    tally.store = StoreMark(after.place, after.run_id)
    if (before.run_id, before.role) != (after.run_id, after.role):
        tally.doubt(
            Grade.UNPROVEN,
            f"{WHAT}: the server changed during the scan, {before.role} to {after.role}",
        )
    if before.replica_fault or after.replica_fault:
        fault = after.replica_fault or before.replica_fault
        tally.doubt(Grade.UNPROVEN, f"{WHAT}: {fault} answered")
    if after.is_cluster:
        tally.doubt(Grade.UNPROVEN, f"{WHAT}: one node of a cluster, which has a part of the keys")
