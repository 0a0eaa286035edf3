"""Puts a signed stage document where the shims read it, and reads what is there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from migrator.config.on_disk import sync_folder
from migrator.core.ed25519 import public_key_of
from migrator.core.errors import DependencyError, UsageError
from migrator.shims.document import sign, verify

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.core.stage import StageDocument
    from migrator.runner.context import Context

_READABLE_BY_SHIMS = 0o644


def public_key(ctx: Context) -> str:
    """Give the public half of the signing key, base64url.

    Raises:
        UsageError: The key is missing, open to others, or not an Ed25519 key.
    """
    return public_key_of(_signing_key(ctx))


def published(ctx: Context) -> StageDocument | None:
    """Give the document that shims can read now; None when there is none that they would take.

    Raises:
        UsageError: The signing key cannot be read.
    """
    key = public_key(ctx)
    try:
        document = verify(_path(ctx).read_text(encoding="utf-8"), key)
    except (OSError, ValueError):
        return None
    return document if document.namespace == ctx.config.migration.name else None


def signed(ctx: Context, document: StageDocument) -> str:
    """Give the text of a document with this migration's signature.

    Raises:
        UsageError: The signing key cannot be read.
    """
    return sign(document, _signing_key(ctx))


def publish(ctx: Context, document: StageDocument) -> None:
    """Replace the published document in one move.

    Interrupted anywhere, readers see the old document or the new one, whole; and after a power
    cut the new one is either there or not, never empty.

    Raises:
        DependencyError: The folder cannot be written to; the old document is still there.
        UsageError: The signing key cannot be read.
    """
    put(ctx, signed(ctx, document))


def put(ctx: Context, text: str) -> None:
    """Put a text where the document stands, in one move.

    Raises:
        DependencyError: The folder cannot be written to; the old text is still there.
    """
    path = _path(ctx)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_through(aside, text)
        aside.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise DependencyError(
            f"the stage document cannot be written to {path}: {error.strerror}",
            hint="check [stage] document in migrator.toml, the disk and its rights, then try again",
        ) from error
    finally:
        aside.unlink(missing_ok=True)


def _write_through(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(_READABLE_BY_SHIMS)


def _path(ctx: Context) -> Path:
    return ctx.path(ctx.config.stage.document)


def _signing_key(ctx: Context) -> str:
    reference = ctx.config.stage.signing_key
    key = ctx.reveal(reference)
    try:
        public_key_of(key)
    except ValueError as error:
        raise UsageError(
            f"stage.signing_key ({reference}): {error}", hint="migrator init makes one"
        ) from None
    return key
