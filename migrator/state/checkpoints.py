"""Small facts that a restarted command needs: how far it came, what was chosen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update

from migrator.core.errors import ConflictError
from migrator.state.schema import checkpoints as table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Engine
    from sqlalchemy.engine import Connection

# Made once: making a statement costs more than running it.
_HERE = (table.c.subject == bindparam("of")) & (table.c.key == bindparam("at"))
_THESE = (table.c.subject == bindparam("of")) & table.c.key.in_(bindparam("at", expanding=True))
_GET, _GET_SOME = (
    select(table.c.value).where(_HERE),
    select(table.c.key, table.c.value).where(_THESE),
)
_DROP = delete(table).where(_THESE)
_SET, _ADD = update(table).where(_HERE).values(value=bindparam("text")), insert(table)


class Checkpoints:
    """Values by (subject, key), kept as JSON; each `put` is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, subject: str, key: str) -> Any:
        """Give the value, or None."""
        with self._engine.connect() as connection:
            value = connection.execute(_GET, {"of": subject, "at": key}).scalar()
        return None if value is None else json.loads(value)

    def get_some(self, subject: str, keys: Iterable[str]) -> dict[str, Any]:
        """Give those of several values that there are, by key."""
        with self._engine.connect() as connection:
            return _some(connection, subject, keys)

    def put(self, subject: str, key: str, value: Any) -> None:
        """Set the value."""
        text = json.dumps(value, sort_keys=True)
        with self._engine.begin() as connection:
            if not connection.execute(_SET, {"of": subject, "at": key, "text": text}).rowcount:
                connection.execute(_ADD, {"subject": subject, "key": key, "value": text})

    def swap(self, subject: str, key: str, *, before: Any, after: Any) -> bool:
        """Set the value if it still is what was read; None stands for no value.

        Returns:
            Whether it was set; otherwise somebody else was faster and nothing was written.
        """
        here = (table.c.subject == subject) & (table.c.key == key)
        old, new = (json.dumps(value, sort_keys=True) for value in (before, after))
        with self._engine.begin() as connection:
            if before is not None:
                change = update(table).where(here, table.c.value == old).values(value=new)
                return bool(connection.execute(change).rowcount)
            if connection.execute(_GET, {"of": subject, "at": key}).first() is not None:
                return False
            connection.execute(_ADD, {"subject": subject, "key": key, "value": new})
            return True

    def drop(self, subject: str, *keys: str) -> None:
        """Forget values, in one transaction."""
        with self._engine.begin() as connection:
            connection.execute(_DROP, {"of": subject, "at": keys})

    def choose(self, subject: str, choices: Mapping[str, Any]) -> None:
        """Record choices that may not change afterwards, all or none in one transaction.

        Raises:
            ConflictError: Another value was chosen before.
        """
        with self._engine.begin() as connection:
            before = _some(connection, subject, choices)
            for key, value in choices.items():
                text = json.dumps(value, sort_keys=True)
                if key not in before:
                    connection.execute(_ADD, {"subject": subject, "key": key, "value": text})
                elif before[key] != json.loads(text):
                    raise ConflictError(
                        f"{key} was {before[key]!r} when this migration began and is now {value!r}",
                        hint=f"set {key} back in migrator.toml, or roll the {subject} back first",
                    )


def _some(connection: Connection, subject: str, keys: Iterable[str]) -> dict[str, Any]:
    found = connection.execute(_GET_SOME, {"of": subject, "at": list(keys)})
    return {key: json.loads(value) for key, value in found}
