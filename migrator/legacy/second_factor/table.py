"""Reads encrypted TOTP secrets out of the users table, and opens them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.errors import UsageError
from migrator.core.queries import load
from migrator.core.sql import ident
from migrator.legacy.connect import Connection, compose, describe_table, wrapped
from migrator.legacy.copytext import copy_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migrator.config.model import LegacySection
    from migrator.legacy.second_factor.interface import Fault, Secret, Vault


class SecretsTable:
    """The users table, as far as one library keeps secrets in it.

    Raises:
        UsageError: The table or a column is missing.
    """

    def __init__(self, connection: Connection, settings: LegacySection, vault: Vault) -> None:
        table = describe_table(connection, settings.users_table, key="legacy.users_table")
        missing = [name for name in vault.columns if name not in table.columns]
        if missing:
            raise UsageError(
                f"{table} has no column {', '.join(missing)}; it has: {', '.join(table.columns)}",
                hint="check legacy.totp.kind; secrets under Active Record's own encryption"
                " (devise-two-factor 5) cannot be read",
            )
        usual = table.primary_key[0] if len(table.primary_key) == 1 else "id"
        key = settings.columns.get("id", usual)
        self._connection = connection
        self._vault = vault
        self._query = compose(
            load("migrator.legacy.second_factor", "table.sql")["secrets"],
            id=ident(key),
            type=table.columns[key],
            columns="".join(f", {ident(name)}::text" for name in vault.columns),
            users=table.relation,
        )

    def secrets(self, pks: Sequence[str]) -> Mapping[str, Secret | Fault]:
        """Give the secrets of users by key; keys that nobody has are left out.

        Raises:
            DependencyError: The database failed.
        """
        if not pks:
            return {}
        with wrapped("reading TOTP secrets"):
            rows = copy_rows(self._connection, self._query, {"pks": list(pks)})
        return {str(pk): self._vault.open(values) for pk, *values in rows}
