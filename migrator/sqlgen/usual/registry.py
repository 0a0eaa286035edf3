"""The libraries whose tables and columns are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sqlgen.usual.better_auth import BETTER_AUTH
from migrator.sqlgen.usual.devise import DEVISE
from migrator.sqlgen.usual.django import DJANGO
from migrator.sqlgen.usual.interface import Loss
from migrator.sqlgen.usual.laravel import LARAVEL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrator.sqlgen.usual.interface import Usual

# Keys are what `[remove] columns` and `[remove] tables` may say instead of a list.
USUAL: dict[str, Usual] = {
    "devise": DEVISE,
    "django": DJANGO,
    "laravel": LARAVEL,
    "better-auth": BETTER_AUTH,
}


def present(there: Iterable[str], among: Iterable[str]) -> tuple[str, ...]:
    """Give those names that are there and known, in the order in which they are there."""
    known = frozenset(among)
    return tuple(name for name in there if name in known)


def losses(names: Iterable[str]) -> dict[Loss, tuple[str, ...]]:
    """Say what would be lost with columns and tables, whichever library they are from.

    Args:
        names: Of columns, and of tables without a schema.
    """
    names = tuple(names)
    found = {
        loss: present(
            names, {name for usual in USUAL.values() for name in usual.losses.get(loss, ())}
        )
        for loss in Loss
    }
    return {loss: lost for loss, lost in found.items() if lost}
