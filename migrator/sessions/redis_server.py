"""A connection to a Redis that is only read: commands go out in batches, failures come as our errors."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    BusyLoadingError,
    NoPermissionError,
    RedisError,
)
from redis.retry import Retry

from migrator.core.errors import DependencyError, UsageError
from migrator.core.redact import scrub

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CLIENT_NAME = "migrator-drain-sessions"
BATCH_KEYS = 1000
GONE_MS = -2
_GLOB = str.maketrans({letter: f"\\{letter}" for letter in "\\*?[]^-"})
_HINT = "the next look tries again by itself"


class Server(NamedTuple):
    """Who answers.

    Attributes:
        place: Its address as configured, and the number of the database.
        run_id: Changes with each start of a server.
        replica_fault: Why this replica may be behind, empty for a primary or a replica in step.
    """

    place: str
    run_id: str
    role: str
    replica_fault: str
    is_cluster: bool


class Entry(NamedTuple):
    """A key with its value.

    Attributes:
        value: None for what is no string.
        left_ms: What is left of its time; negative for ever.
    """

    key: bytes
    value: bytes | None
    left_ms: int


@contextmanager
def open_redis(url: str, *, limit_s: float) -> Iterator[RedisReader]:
    """Connect.

    Args:
        url: `redis://user:password@host:6379/0`; appears in no message.
        limit_s: How long each answer may take, seconds.

    Raises:
        UsageError: The URL cannot be read.
        DependencyError: The server cannot be reached, or fails while the block runs.
    """
    try:
        client = _connected(url, limit_s)
        try:
            yield RedisReader(client)
        finally:
            client.close()
    except RedisError as error:
        raise _said(error) from error


def _connected(url: str, limit_s: float) -> Redis:
    try:
        # Nothing is tried again on another connection: a cursor means something to one server only.
        return Redis.from_url(
            url,
            client_name=CLIENT_NAME,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            single_connection_client=True,
            socket_timeout=limit_s,
            socket_connect_timeout=limit_s,
        )
    except ValueError:
        raise UsageError(
            "legacy.sessions.url cannot be read", hint="write it as redis://host:6379/0"
        ) from None


class RedisReader:
    """Reads keys; sends SCAN, MGET, PTTL and INFO, which change nothing."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    def server(self) -> Server | None:
        """Ask who answers, None where our user may not ask."""
        try:
            said = self._client.info("server", "replication", "cluster")
        except NoPermissionError:
            return None
        return Server(
            place=self._place(),
            run_id=str(said["run_id"]),
            role=str(said["role"]),
            replica_fault=_replica_fault(said),
            is_cluster=said.get("cluster_enabled") == 1,
        )

    def _place(self) -> str:
        said = self._client.get_connection_kwargs()
        address = said.get("path") or f"{said.get('host')}:{said.get('port')}"
        return f"{address}/{said.get('db', 0)}"

    def scan(self, cursor: int, prefix: str) -> tuple[int, list[Entry]]:
        """Give the next cursor, 0 after the last batch, and some keys, perhaps one twice."""
        pattern = f"{prefix.translate(_GLOB)}*"
        following, keys = self._client.scan(cursor, match=pattern, count=BATCH_KEYS)
        return int(following), self._entries(cast("list[bytes]", keys))

    def _entries(self, keys: Sequence[bytes]) -> list[Entry]:
        if not keys:
            return []
        values, *times = self._batch([(b"MGET", *keys), *((b"PTTL", key) for key in keys)])
        found = map(Entry, keys, values, times)
        return [entry for entry in found if entry.left_ms != GONE_MS]

    def _batch(self, commands: list[tuple[bytes, ...]]) -> list[Any]:
        """Send commands at once and read as many answers; the client's own pipeline costs five times that."""
        connection = self._client.connection
        assert connection is not None  # noqa: S101 - there is one client and one connection
        connection.send_packed_command(
            [  # type: ignore[no-untyped-call]
                b"".join(map(_packed, commands))
            ]
        )
        return [connection.read_response(disable_decoding=True) for _ in commands]


def _packed(command: tuple[bytes, ...]) -> bytes:
    parts = b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in command)
    return b"*%d\r\n%b" % (len(command), parts)


def _replica_fault(said: dict[str, Any]) -> str:
    if said["role"] == "master":
        return ""
    if said.get("master_sync_in_progress"):
        return "a replica that is still loading what its primary has"
    return "" if said.get("master_link_status") == "up" else "a replica that has lost its primary"


def _said(error: RedisError) -> DependencyError:
    if isinstance(error, BusyLoadingError):
        return DependencyError("Redis is loading its data set", hint=_HINT)
    first = scrub((str(error).strip() or type(error).__name__).partition("\n")[0])
    return DependencyError(f"Redis: {first}", hint=_HINT)
