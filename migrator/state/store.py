"""Opens the state: a SQLite file of the user's own (0600), or a PostgreSQL database by URL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from migrator.config.secrets import SecretRef
from migrator.core.errors import UsageError
from migrator.core.redact import scrub
from migrator.state import schema
from migrator.state.checkpoints import Checkpoints
from migrator.state.drain_history import DrainHistory
from migrator.state.errors import StateUnreachableError
from migrator.state.health_history import HealthHistory
from migrator.state.ledger import Ledger
from migrator.state.locks import Locks
from migrator.state.outbox import Outbox
from migrator.state.samples import Samples

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.engine import ExceptionContext

    from migrator.core.clock import Clock

SQLITE = "sqlite:"
_POSTGRESQL = ("postgresql://", "postgres://")
BUSY_TIMEOUT_S = 30
READ_TIMEOUT_S = 5
CONNECT_TIMEOUT_S = 10


_MEND = "mend it (disk, server, [state] url), then run the same command again"


@dataclass(frozen=True)
class State:
    """What the migration remembers."""

    ledger: Ledger
    checkpoints: Checkpoints
    locks: Locks
    samples: Samples
    drain_history: DrainHistory
    health_history: HealthHistory
    outbox: Outbox
    engine: Engine

    def let_go(self) -> None:
        """Close the connections; an open one would go on reading a file that was removed or replaced."""
        self.engine.dispose()


def open_state(url: str, *, root: Path, clock: Clock) -> State:
    """Open the state and create its tables where they are missing.

    Args:
        url: `sqlite:PATH`, or `env:NAME` / `file:PATH` that holds a postgresql:// URL.
        root: Folder that relative paths start from.
        clock: For ledger times and lock leases.

    Raises:
        UsageError: The URL is of another kind.
        StateUnreachableError: The file or the server cannot be used.
    """
    try:
        engine = (
            _sqlite(root / url.removeprefix(SQLITE))
            if url.startswith(SQLITE)
            else _postgresql(url, root)
        )
        event.listen(engine, "handle_error", _as_dependency)
        schema.metadata.create_all(engine)
        for index in schema.samples.indexes:
            # A table that an earlier version made has fewer.
            index.create(engine, checkfirst=True)
    except (SQLAlchemyError, OSError) as error:
        raise StateUnreachableError(
            f"the state at {url} cannot be opened ({type(error).__name__})",
            hint="check [state] url in migrator.toml, the disk and the server, then try again",
        ) from error
    return _state(engine, clock)


def open_to_read(url: str, *, root: Path, clock: Clock) -> State:
    """Open a state that is there, for somebody who only reads and stays for long; the database itself refuses writes.

    Nothing is opened before the first use, nor after `let_go` before the next: what is not there, or
    goes away, raises `StateUnreachableError` then, and only for as long as it is away.

    Args:
        url: As for `open_state`.
        root: Folder that relative paths start from.
        clock: For what depends on the time.

    Raises:
        UsageError: The URL is of another kind.
    """
    engine = (
        _sqlite_to_read(root / url.removeprefix(SQLITE))
        if url.startswith(SQLITE)
        else _postgresql(url, root, options="-c default_transaction_read_only=on")
    )
    event.listen(engine, "handle_error", _as_dependency)
    return _state(engine, clock)


def no_state(clock: Clock) -> State:
    """Give a state of which every use raises `StateUnreachableError`."""

    def refuse() -> Any:
        raise StateUnreachableError("the state does not answer", hint=_MEND)

    return _state(create_engine("sqlite://", creator=refuse), clock)


def _state(engine: Engine, clock: Clock) -> State:
    return State(
        ledger=Ledger(engine, clock),
        checkpoints=Checkpoints(engine),
        locks=Locks(engine, clock),
        samples=Samples(engine),
        drain_history=DrainHistory(engine),
        health_history=HealthHistory(engine),
        outbox=Outbox(engine),
        engine=engine,
    )


def _as_dependency(context: ExceptionContext) -> None:
    """Wrap whatever the driver raises, here and nowhere else; an interrupt is no failure."""
    if not isinstance(context.original_exception, Exception):
        return
    said = scrub(str(context.original_exception)).partition("\n")[0]
    raise StateUnreachableError(
        f"the state database failed: {said}", hint=_MEND
    ) from context.original_exception


def _sqlite(path: Path) -> Engine:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600, exist_ok=True)
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_S})

    @event.listens_for(engine, "connect")
    def _durable(connection, _record) -> None:  # type: ignore[no-untyped-def]
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def _take_the_write_lock_first(connection) -> None:  # type: ignore[no-untyped-def]
        # A chain is read and then extended: two deferred transactions would both read first.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _sqlite_to_read(path: Path) -> Engine:
    address = f"sqlite:///file:{quote(str(path.resolve()))}?mode=ro&uri=true"
    return create_engine(address, connect_args={"timeout": READ_TIMEOUT_S})


def _postgresql(url: str, root: Path, options: str = "") -> Engine:
    try:
        dsn = SecretRef.parse(url).reveal(root)
    except ValueError as error:
        raise UsageError(
            "state.url: write sqlite:PATH, or env:NAME or file:PATH that holds a postgresql:// URL",
            hint="edit [state] in migrator.toml",
        ) from error
    for scheme in _POSTGRESQL:
        if dsn.startswith(scheme):
            return create_engine(
                "postgresql+psycopg://" + dsn.removeprefix(scheme),
                connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "options": options},
            )
    raise UsageError("state.url: the secret does not hold a postgresql:// URL", hint="check it")
