"""What every command of the import begins with: the settings that may not change, the rules."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from migrator.auther.mapping.roles import Grants
from migrator.auther.mapping.rules import Rules
from migrator.auther.ways.models import unknown_relations
from migrator.core.clock import iso, parse_iso
from migrator.core.durations import format_duration
from migrator.core.errors import ConflictError, UsageError
from migrator.core.ids import mark_key
from migrator.legacy.connect import open_database
from migrator.legacy.identity import IdentityTable
from migrator.legacy.new_user import new_user_function
from migrator.legacy.sources import open_source
from migrator.runner.importing import decided
from migrator.runner.importing.resolutions import read_resolutions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from migrator.auther.interface import Target
    from migrator.config.model import Config
    from migrator.legacy.changes import AmongUsers
    from migrator.legacy.connection import Connection
    from migrator.legacy.devise import DeviseSource
    from migrator.runner.context import Context

SUBJECT = "import"
_MILLISECOND_S = 0.001


@dataclass(frozen=True)
class Ends:
    """The application's side, opened: its users, and the table that links them.

    Attributes:
        connection: What writes that table.
    """

    source: DeviseSource
    identities: IdentityTable
    connection: Connection

    def create_tables(self, config: Config) -> None:
        """Create our tables, and the function that makes rows for new users of Auther.

        Raises:
            DependencyError: Our role may not create them beside the users table.
        """
        function = None
        if self.source.new_row is not None:
            function = new_user_function(self.source.new_row, config.write_back.defaults)
        self.identities.create(new_user=function)


@contextmanager
def open_ends(ctx: Context, *, writing: bool) -> Iterator[Ends]:
    """Open the application's database.

    Args:
        ctx: The surroundings.
        writing: `migrator_identity` is going to be written; users are never.

    Raises:
        UsageError: A table or column is missing.
        ConflictError: A setting that shapes rows differs from when the import began.
        DependencyError: The database cannot be reached, or fails while the block runs.
    """
    settings = ctx.config.legacy
    dsn = ctx.reveal(settings.dsn)
    with (
        open_source(dsn, settings) as source,
        open_database(dsn, read_only=not writing) as connection,
    ):
        check_choices(ctx, source)
        table = source.columns.table
        identities = IdentityTable(connection, table, source=settings.model)
        yield Ends(source, identities, connection)


def as_of(ctx: Context) -> datetime:
    """Give the time at which locks are judged: when the import first ran, or now before that."""
    recorded = ctx.state.checkpoints.get(SUBJECT, "as_of")
    return parse_iso(recorded) if recorded else ctx.clock.now()


def make_rules(ctx: Context, source: DeviseSource | AmongUsers) -> Rules:
    """Make out the rules, which takes a look through all addresses.

    Raises:
        UsageError: `verified_when = "confirmed"` without a column that says so.
    """
    settings = ctx.config.import_
    if settings.verified_when == "confirmed" and source.columns.column("confirmed_at") is None:
        raise UsageError(
            f'import.verified_when is "confirmed", but {source.columns.table} has no confirmed_at:'
            " nobody could sign in",
            hint='set import.verified_when in migrator.toml to "always" or "never"',
        )
    unlock_in = settings.unlock_in
    resolutions = read_resolutions(ctx.path(settings.resolutions_file))
    judge = source.email_judge(decided.new_addresses(resolutions))
    return Rules(
        namespace=ctx.config.migration.name,
        source=ctx.config.legacy.model,
        key=ctx.migration_key(),
        mark=mark_key(ctx.migration_key()),
        derived_ids=_derives_ids(ctx, source),
        verified_when=settings.verified_when,
        unlock_in_ms=None if unlock_in is None else round(unlock_in.total_seconds() * 1000),
        soft_deleted=settings.soft_deleted,
        unsupported_hash=settings.unsupported_hash,
        now_ms=round(as_of(ctx).timestamp() / _MILLISECOND_S),
        peppers=ctx.config.legacy.pepper_ids,
        declared=ctx.config.legacy.declared,
        providers=settings.providers,
        email_loses=decided.email_loses(source, judge, resolutions),
        apart=decided.apart(source, judge, resolutions),
        email_claimed=judge.is_claimed,
        grants=Grants.of(settings.roles),
        email_resembles=judge.resembles,
        resolutions=resolutions,
        contested_identities=source.contested_identities(),
        contested_usernames=source.contested_usernames(),
    )


def refuse_late_resolutions(ctx: Context, ends: Ends, target: Target, rules: Rules) -> None:
    """Let pass what a person decided in time.

    Raises:
        ConflictError: Users are at Auther in another way than the resolution file says now.
    """
    recorded = ctx.state.checkpoints.get(SUBJECT, "resolutions") or {}
    if recorded or rules.resolutions:
        decided.Latecomers(ends.source, target, ends.identities, rules).refuse(recorded)


def record_resolutions(ctx: Context, rules: Rules) -> None:
    """Remember what was decided, before anything is written by it."""
    fingerprints = decided.fingerprints(rules.resolutions)
    if fingerprints or ctx.state.checkpoints.get(SUBJECT, "resolutions"):
        ctx.state.checkpoints.put(SUBJECT, "resolutions", fingerprints)


def refuse_unknown_relations(target: Target, rules: Rules) -> None:
    """Let pass only roles that Auther has a relation for.

    Raises:
        UsageError: Auther's authorization models lack one; the message lists what there is.
        DependencyError: Auther does not answer.
    """
    faults = unknown_relations(target, rules.grants.relations())
    if faults:
        raise UsageError(
            f"roles cannot be written: {'; '.join(faults)}",
            hint="make the model at Auther, or edit [import.roles] in migrator.toml",
        )


def record_choices(ctx: Context, source: DeviseSource) -> None:
    """Write down what shapes every row, at the first run; later runs find it unchanged."""
    choices = _choices(ctx, source) | {"as_of": iso(as_of(ctx))}
    ctx.state.checkpoints.choose(SUBJECT, choices)


def check_choices(ctx: Context, source: DeviseSource) -> None:
    """Let pass the settings with which the import began.

    Raises:
        ConflictError: One of them was changed since.
    """
    choices = _choices(ctx, source)
    for key, before in ctx.state.checkpoints.get_some(SUBJECT, choices).items():
        if before != choices[key]:
            raise ConflictError(
                f"{key} was {before!r} when this import began and is now {choices[key]!r}",
                hint=f"set {key} back in migrator.toml, or: migrator import rollback",
            )


def forget_choices(ctx: Context, source: DeviseSource) -> None:
    """Let the next import begin anew."""
    ctx.state.checkpoints.drop(
        SUBJECT,
        *_choices(ctx, source),
        "as_of",
        "created_file",
        "created_index",
        "last_run",
        "snapshot",
        "accepted_rejects",
        "resolutions",
        "verified",
        "position",
        "left_behind",
    )


def _choices(ctx: Context, source: DeviseSource) -> dict[str, Any]:
    settings = ctx.config.import_
    return {
        "import.ids": "derived" if _derives_ids(ctx, source) else "legacy",
        "migration.name": ctx.config.migration.name,
        "migration.key": sha256(b"fingerprint:" + ctx.migration_key()).hexdigest()[:16],
        "legacy.model": ctx.config.legacy.model,
        "legacy.peppers": list(ctx.config.legacy.pepper_ids),
        "import.verified_when": settings.verified_when,
        "import.providers": settings.providers,
        "import.roles": [grant.model_dump() for grant in settings.roles.grants],
        "import.unlock_in": "never"
        if settings.unlock_in is None
        else format_duration(settings.unlock_in),
    }


def _derives_ids(ctx: Context, source: DeviseSource | AmongUsers) -> bool:
    """Tell whether ids are derived: text and UUID keys are always ids themselves."""
    return ctx.config.import_.ids == "derived" and source.integer_keys
