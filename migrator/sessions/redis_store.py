"""Sessions in Redis: all keys with a prefix, each with the time that it has left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from migrator.metrics.interface import Grade, StoreMark
from migrator.metrics.session_data import UNKNOWN, Content, Holds, warden_scope
from migrator.sessions.interface import Holder, HolderPage, key_hash
from migrator.sessions.kept import store_key
from migrator.sessions.key_tally import KeyTally
from migrator.sessions.redis_server import open_redis
from migrator.sessions.redis_values import reader_of
from migrator.sessions.scan_memory import KEPT_EVERY_KEYS, Scan
from migrator.sessions.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from migrator.metrics.interface import SessionsLook
    from migrator.sessions.interface import Place
    from migrator.sessions.redis_server import Entry, RedisReader, Server
    from migrator.sessions.redis_values import Reader
    from migrator.sessions.scan_memory import ScanMemory

WHAT = "the sessions in Redis"


@dataclass(frozen=True)
class RedisStore:
    """Scans all keys at each look; a key that the scan gives twice counts once.

    Attributes:
        memory: Lets a scan that was killed go on; None: each begins anew.
    """

    place: Place
    memory: ScanMemory | None = None

    def look(self) -> SessionsLook:
        """Scan once; what a failover interrupted is a doubt, and the next look begins anew."""
        tally, scan, whole = Tally(), self._new_scan(), False
        with tally.doubting(WHAT, self.place):
            try:
                with self._open() as redis:
                    before = redis.server()
                    scan = self._recalled(before) or scan
                    whole = self._scan(redis, scan)
                    _doubt_the_server(tally, before, redis.server())
            finally:
                scan.keys.into(tally, at=self.place.clock.now())
                tally.written(scan.written_at)
            if not whole:
                tally.too_slow(WHAT, self.place)
        counted_at = scan.began if self.memory else None
        return replace(tally.look(), counted_at=counted_at, note=scan.note)

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

    def _new_scan(self) -> Scan:
        return Scan("", self.place.clock.now(), KeyTally())

    def _recalled(self, server: Server | None) -> Scan | None:
        memory = self.memory
        if memory is None or server is None:
            return None
        return memory.recall(
            "\n".join((store_key(self.place.legacy), server.place, server.run_id))
        )

    def _scan(self, redis: RedisReader, scan: Scan) -> bool:
        """Read all keys that are left; give whether there was time for all."""
        read, prefix, memory = self._reader(), self.place.legacy.sessions.prefix, self.memory
        until, unkept = self.place.until(), 0
        while True:
            scan.cursor, entries = redis.scan(scan.cursor, prefix)
            scan.written_at = _later(scan.written_at, self._written_at(entries))
            for entry in entries:
                scan.keys.add(entry.key, _content(entry, read).holds, entry.left_ms)
            if scan.cursor == 0:
                return True
            unkept += len(entries)
            if memory and scan.of and unkept >= KEPT_EVERY_KEYS:
                memory.keep(scan)
                unkept = 0
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


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((at for at in (one, other) if at is not None), default=None)


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
