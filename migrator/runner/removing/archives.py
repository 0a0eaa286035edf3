"""Where a removal's archives lie, how they are encrypted, and which of them the database knows."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.archive.encryption import HOW_TO, NONE, Age, Identity, Unencrypted
from migrator.archive.folder import arrive
from migrator.archive.reader import check_chunks
from migrator.archive.writer import ChunkSize
from migrator.core.errors import HeldError, UsageError
from migrator.sqlgen.steps import (
    ARCHIVE_COLUMNS,
    ARCHIVE_TABLES,
    DRILL_COLUMNS,
    DRILL_TABLES,
    ERASE_COLUMNS,
    PURGE_COLUMNS,
    PURGE_TABLES,
    QUARANTINE_COLUMNS,
    QUARANTINE_TABLES,
)

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.archive.encryption import Opening, Sealing
    from migrator.archive.manifest import Manifest
    from migrator.config.secrets import SecretRef
    from migrator.legacy.guard import Archived
    from migrator.runner.context import Context
    from migrator.runner.removing.site import Site
    from migrator.sqlgen.archive_plan import ArchivePlan

_BYTES_PER_MB = 1_000_000
ARCHIVES = frozenset({ARCHIVE_TABLES, ARCHIVE_COLUMNS})
_BEFORE = {ARCHIVE_TABLES: QUARANTINE_TABLES, ARCHIVE_COLUMNS: QUARANTINE_COLUMNS}
_WITH_IDENTITY = "the same command with --identity file:archive.key, or [remove.archive] identity"
DRILLS = {DRILL_TABLES: ARCHIVE_TABLES, DRILL_COLUMNS: ARCHIVE_COLUMNS}
# Where values were erased before the columns went, they come back with the revert of that.
REFILLS = {
    PURGE_TABLES: ARCHIVE_TABLES,
    ERASE_COLUMNS: ARCHIVE_COLUMNS,
    PURGE_COLUMNS: ARCHIVE_COLUMNS,
}


@dataclass(frozen=True)
class Kept:
    """An archive on the disk that is the one which the database knows."""

    plan: ArchivePlan
    folder: Path
    manifest: Manifest


def folder_of(ctx: Context, plan_id: str, step: str) -> Path:
    """Give the folder of one archive."""
    return ctx.path(ctx.config.remove.archive.dir) / plan_id / step


def erasure_key(here: Site, step: str) -> bytes:
    """Give the key that an archive's erasure list is hashed with, 32 bytes."""
    name = f"erasures of {here.plan.plan_id}/{step}"
    return hmac.digest(here.ctx.migration_key(), name.encode(), "sha256")


def chunk_size(ctx: Context) -> ChunkSize:
    """Give where a chunk ends."""
    archive = ctx.config.remove.archive
    return ChunkSize(archive.chunk_rows, round(archive.chunk_mb * _BYTES_PER_MB))


def sealing_of(ctx: Context) -> Sealing:
    """Give how archives are encrypted.

    Raises:
        UsageError: There is no public key, and it was not said that none is wanted.
    """
    archive = ctx.config.remove.archive
    return Age(archive.recipients) if archive.encrypt else Unencrypted()


def opening_of(
    ctx: Context, manifest: Manifest, given: SecretRef | None, *, otherwise: str = _WITH_IDENTITY
) -> Opening:
    """Give what decrypts an archive.

    Args:
        ctx: The surroundings.
        manifest: The archive's.
        given: The private key; that of the configuration when None.
        otherwise: What to do where there is none.

    Raises:
        HeldError: There is none on this machine.
        UsageError: It cannot be read.
    """
    if manifest.encryption == NONE:
        return Unencrypted()
    secret = given or ctx.config.remove.archive.identity
    if secret is None:
        raise HeldError(
            "the archive is encrypted, and this machine has no private key for it",
            hint=otherwise,
        )
    return Identity(ctx.reveal(secret))


def archived(here: Site, name: str) -> Archived | None:
    """Give what the database knows of a table's archive."""
    return next((table for table in here.archives() if table.name == name), None)


def is_proven(here: Site, step: str) -> bool:
    """Tell whether the archive of a step was restored and compared."""
    known = [archived(here, table.name) for table in here.plan.archive(step).tables]
    return all(table is not None and table.drilled_at is not None for table in known)


def kept(here: Site, step: str) -> Kept:
    """Give the archive that a step made.

    Raises:
        HeldError: The database knows of none.
        RefusedError: What lies on the disk is not what the database knows.
        DependencyError: The disk cannot be read.
    """
    plan = here.plan.archive(step)
    folder = folder_of(here.ctx, here.plan.plan_id, step)
    known = archived(here, plan.tables[0].name)
    if known is None:
        raise HeldError("there is no archive yet", hint=f"migrator remove apply --to {step}")
    if not known.manifest_sha256:
        raise HeldError(
            "rows were erased after the purge: what came back is not all that the files hold",
            hint=f"{before_archive(step)}, then apply again",
        )
    return Kept(plan, folder, arrive(folder, known.manifest_sha256))


def before_archive(step: str) -> str:
    """Give the command that goes back to where the archive of a step is not there yet."""
    return f"migrator remove revert --to {_BEFORE[step]}"


def check_files(here: Site, step: str) -> None:
    """Make sure that an archive's files are there and as they were written; as `kept`."""
    found = kept(here, step)
    check_chunks(found.folder, found.manifest)


def require_recipient(ctx: Context) -> None:
    """Make sure, before anything is planned, that there is somebody to encrypt to.

    Raises:
        UsageError: There is no public key, and it was not said that none is wanted.
    """
    try:
        sealing_of(ctx)
    except UsageError as error:
        raise UsageError(
            error.message, hint=f"{HOW_TO}; or, said explicitly: encrypt = false"
        ) from None
