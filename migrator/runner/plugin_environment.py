"""The environment of the plugin at Auther, and the secrets that it shares with the migrator."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.auther.plugin.env_file import Merged, merge
from migrator.auther.plugin.seal import SealKey, new_key
from migrator.core.envelope import NO_PEPPER
from migrator.core.errors import DependencyError, UsageError
from migrator.core.ids import mark_key
from migrator.runner.writing_back.sides import new_passwords
from migrator.schemes.costs import PEPPERED, scheme_of

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.config.secrets import SecretRef
    from migrator.runner.context import Context

CAPABILITIES = (
    "import",
    "verify",
    "statistics",
    "events",
    "exchange",
    "logout",
    "reset",
    "capture",
    "client",
)
_SECRET_BYTES = 32
_SUBJECT, _ACTION = "import", "plugin environment"
_OTHERS = 0o077


@dataclass(frozen=True)
class Written:
    """What was done; names only.

    Attributes:
        made: Files of secrets that were made.
        variables: What became of the variables in the environment file.
    """

    made: tuple[str, ...]
    variables: Merged


def write_environment(ctx: Context, path: Path, *, rotate: bool = False) -> Written:
    """Bring what the plugin needs into an environment file (0600), and make missing secrets.

    Killed at any point, the same call finishes the work: secrets exist before they are written out.
    A rotation writes new secrets out first, beside the old ones, which stay live until the next.

    Args:
        ctx: The surroundings; secrets are made where its configuration says.
        path: The environment file; what is in it stays.
        rotate: Make new secrets of all capabilities.

    Raises:
        UsageError: A secret is missing in the environment, or others may read a file.
        RefusedError: New passwords are to be as the application's are, which cannot be made.
        DependencyError: A file cannot be written, or the application's database does not answer.
        ConflictError: Another process is doing the same.
    """
    recorded = ctx.state.ledger.recorded(_SUBJECT, _ACTION, rotate=rotate)
    with ctx.state.locks.held("plugin"), recorded as facts:
        made = _make_missing(ctx)
        old = {name: _secret(ctx, name) for name in CAPABILITIES}
        new = _renewed(ctx) if rotate else {}
        text = _read(path)
        merged = merge(text, {**_settings(ctx), **_secrets({**old, **new})}, overwrite=False)
        if rotate:
            merged = merge(text, {**_secrets(new), **_secrets(old, "_NEXT")}, overwrite=True)
        _write(path, merged.text)
        for name, secret in new.items():
            _write(ctx.root / _reference(ctx, name).name, secret + "\n")
        facts.update(made=len(made), added=len(merged.added), kept=len(merged.kept))
    return Written(made, merged)


def _settings(ctx: Context) -> dict[str, str]:
    config = ctx.config
    settings = {"MIGRATOR_MARK": mark_key(ctx.migration_key()).hex()}
    if config.auther.client_id:
        settings["MIGRATOR_CLIENT_ID"] = config.auther.client_id
    if config.plugin.write_back:
        key = SealKey(ctx.reveal(config.plugin.seal_key))
        settings |= {
            "MIGRATOR_SEAL_KEY": key.public,
            "MIGRATOR_WRITE_BACK": write_back_made_as(ctx),
        }
    for pepper in config.legacy.peppers:
        variable = pepper.id.upper().replace("-", "_")
        settings[f"MIGRATOR_PEPPER_{variable}"] = ctx.reveal(pepper.value)
    return settings


def write_back_made_as(ctx: Context) -> str:
    """Give scheme, cost and pepper of new passwords: where there is one, what the application uses today.

    Raises:
        UsageError: As `new_passwords`; so are the others.
    """
    text = new_passwords(ctx)
    if scheme_of(text) != PEPPERED or "pepper=" in text:
        return text
    current = next((pepper.id for pepper in ctx.config.legacy.peppers), NO_PEPPER)
    return f"{text}{'&' if ':' in text else ':'}pepper={current}"


def _secrets(values: dict[str, str], suffix: str = "") -> dict[str, str]:
    return {f"MIGRATOR_SECRET_{name.upper()}{suffix}": value for name, value in values.items()}


def _reference(ctx: Context, capability: str) -> SecretRef:
    reference: SecretRef = getattr(ctx.config.plugin, f"{capability}_secret")
    return reference


def _secret(ctx: Context, capability: str) -> str:
    secret = ctx.reveal(_reference(ctx, capability))
    if len(secret.encode()) < _SECRET_BYTES:
        raise UsageError(
            f"plugin.{capability}_secret has fewer than {_SECRET_BYTES} bytes",
            hint="make a longer one, or: migrator import plugin --env-file FILE --rotate",
        )
    return secret


def _make_missing(ctx: Context) -> tuple[str, ...]:
    wanted = {_reference(ctx, name): secrets.token_urlsafe for name in CAPABILITIES}
    made = [str(ref) for ref, make in wanted.items() if _make(ctx, ref, make(_SECRET_BYTES))]
    if _make(ctx, ctx.config.plugin.seal_key, new_key()):
        made.append(str(ctx.config.plugin.seal_key))
    return tuple(made)


def _make(ctx: Context, reference: SecretRef, value: str) -> bool:
    path = ctx.root / reference.name
    if reference.kind != "file" or path.exists():
        return False
    _write(path, value + "\n")
    return True


def _renewed(ctx: Context) -> dict[str, str]:
    fixed = [name for name in CAPABILITIES if _reference(ctx, name).kind != "file"]
    if fixed:
        raise UsageError(
            f"plugin.{fixed[0]}_secret is no file, so it is not this command's to renew",
            hint="renew it by hand: the new one in MIGRATOR_SECRET_…, the old one in …_NEXT",
        )
    return {name: secrets.token_urlsafe(_SECRET_BYTES) for name in CAPABILITIES}


def _read(path: Path) -> str:
    try:
        if path.stat().st_mode & _OTHERS:
            raise UsageError(f"others may read {path.name}", hint=f"chmod 600 {path}")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name} cannot be read", hint=f"ls -l {path}") from error


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600, exist_ok=False)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise DependencyError(
            f"{path.name} cannot be written: {error.strerror}",
            hint="check the folder and the disk",
        ) from error
