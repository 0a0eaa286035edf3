"""What on the legacy side stops the import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.sql import ident
from migrator.legacy.survey import IDENTITY_TABLE, QUERY
from migrator.runner.readiness.reason import Reason, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.config.model import Config
    from migrator.runner.readiness.findings import Findings

_TABLE_KINDS = {"r", "p", QUERY}


def server_takes_no_writes(found: Findings, _config: Config) -> Iterator[Reason]:
    """The import writes migrator_identity beside the users table."""
    if found.legacy.server.is_replica:
        yield Reason(
            "standby",
            "legacy.dsn leads to a standby, which takes no writes",
            "let legacy.dsn name the primary server",
        )


def no_plain_table(found: Findings, _config: Config) -> Iterator[Reason]:
    """Pages are read in the order of a primary key."""
    legacy = found.legacy
    if legacy.relation.kind not in _TABLE_KINDS:
        yield Reason(
            "no_table", f"{legacy.table} is a view or a foreign table", "set legacy.users_table"
        )
    elif not found.has_primary_key:
        yield Reason(
            "no_primary_key",
            f"{legacy.table} has no primary key of one column",
            f"give {legacy.table} a primary key of one column",
        )


def nobody_there(found: Findings, _config: Config) -> Iterator[Reason]:
    """An empty table is most likely the wrong database."""
    if not found.legacy.states.users:
        yield Reason(
            "no_users", f"{found.legacy.table} has no rows", "check legacy.dsn and users_table"
        )


def rows_hidden(found: Findings, _config: Config) -> Iterator[Reason]:
    """Counts under row security may be short without any error."""
    if found.legacy.relation.rows_hidden:
        role = ident(found.legacy.server.role)
        yield Reason(
            "row_security",
            f"row security may hide users from role {role}",
            f"ALTER ROLE {role} BYPASSRLS, or connect as another role",
        )


def identity_table_impossible(found: Findings, _config: Config) -> Iterator[Reason]:
    """The import makes migrator_identity in the schema of the users table, and fills it."""
    legacy, role = found.legacy, found.legacy.server.role
    schema = legacy.schema
    place = ident(schema, IDENTITY_TABLE)
    if legacy.identity_table is None and not legacy.relation.schema_creatable:
        yield Reason(
            "no_create",
            f"role {role} may not create {IDENTITY_TABLE} in schema {schema}",
            f"GRANT CREATE ON SCHEMA {ident(schema)} TO {ident(role)}",
        )
    elif legacy.identity_table and not legacy.identity_table.writable:
        yield Reason(
            "identity_table_closed",
            f"{IDENTITY_TABLE} is there and role {role} may not write to it",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {place} TO {ident(role)}",
        )


def nobody_verified(found: Findings, config: Config) -> Iterator[Reason]:
    """When `confirmed` is true of nobody, Auther refuses everybody (403)."""
    if config.import_.verified_when != "confirmed":
        return
    states = found.legacy.states
    has_column = "confirmable" in found.legacy.modules
    if not has_column or (states.users and states.unconfirmed == states.users):
        why = "everybody is unconfirmed" if has_column else "there is no confirmed_at column"
        yield Reason(
            "nobody_verified",
            f'verified_when is "confirmed" and {why}: nobody could sign in',
            'set verified_when to "always" if your addresses were proven in another way',
        )


def canary_failed(found: Findings, config: Config) -> Iterator[Reason]:
    """A wrong or missing pepper makes every password wrong."""
    failed = [canary for canary in found.canaries if canary.fault]
    if failed:
        peppers = ", ".join(config.legacy.pepper_ids)
        yield Reason(
            "canary_failed",
            f"{len(failed)} of {len(found.canaries)} canaries do not verify (tried: {peppers})",
            "check the passwords, then Devise.pepper now and earlier, and [[legacy.peppers]]",
        )


def nobody_imported(found: Findings, _config: Config) -> Iterator[Reason]:
    """When every user is rejected, something general is wrong."""
    forecast = found.forecast
    if forecast and found.census.read and not forecast.imported + forecast.already_there:
        yield Reason("nobody_imported", "every user would be rejected", "see the reasons below")


LEGACY_BLOCKERS: tuple[Rule, ...] = (
    server_takes_no_writes,
    no_plain_table,
    nobody_there,
    rows_hidden,
    identity_table_impossible,
    nobody_verified,
    canary_failed,
    nobody_imported,
)
