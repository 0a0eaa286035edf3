"""The session stores that can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.errors import UsageError
from migrator.sessions.activerecord import ActiveRecordStore
from migrator.sessions.django import DjangoStore
from migrator.sessions.interface import StoreKind
from migrator.sessions.laravel import LaravelStore
from migrator.sessions.sql import SqlStore
from migrator.sessions.uncounted import UncountedStore

if TYPE_CHECKING:
    from migrator.config.sessions import StoreName
    from migrator.sessions.interface import Place, Store
    from migrator.sessions.scan_memory import ScanMemory


def _redis(place: Place, memory: ScanMemory | None = None) -> Store:
    try:
        from migrator.sessions.redis_store import RedisStore  # noqa: PLC0415 - an optional package
    except ModuleNotFoundError as error:
        raise UsageError(
            f"sessions in Redis need the package {error.name}",
            hint="pip install 'migrator[redis]'",
        ) from error
    return RedisStore(place, memory)


STORES: dict[StoreName, StoreKind] = {
    "activerecord": StoreKind(
        "Rails' activerecord-session_store on PostgreSQL, MariaDB or SQLite: Marshal or JSON",
        ActiveRecordStore,
    ),
    "laravel": StoreKind(
        "Laravel's driver `database` on PostgreSQL: sessions of its default guard's users",
        LaravelStore,
    ),
    "django": StoreKind(
        "Django's engines `db` and `cached_db` on PostgreSQL, without the secret; a pickle is searched for"
        " the key of a user, never loaded",
        DjangoStore,
    ),
    "sql": StoreKind("any tables on PostgreSQL, through a SELECT in migrator.toml", SqlStore),
    "redis": StoreKind(
        "Redis (`migrator[redis]`): Rails' stores (Marshal or JSON), connect-redis with Passport, Django's"
        " cached sessions (searched, never loaded), or each key of a prefix",
        _redis,
    ),
    "cookie": StoreKind("nothing: sessions in cookies end at the deadline", UncountedStore),
    "none": StoreKind("nothing", UncountedStore),
}


def store_of(place: Place, *, memory: ScanMemory | None = None) -> Store:
    """Give the store that `legacy.session_store` names.

    Args:
        place: Where it is.
        memory: Lets a count that was killed go on, where the store can.

    Raises:
        UsageError: It needs a package that is not installed.
    """
    if memory is not None and place.legacy.session_store == "redis":
        return _redis(place, memory)
    return STORES[place.legacy.session_store].make(place)
