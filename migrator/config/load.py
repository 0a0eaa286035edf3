"""Reads migrator.toml and says exactly what is wrong with it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from migrator.config.model import Config
from migrator.config.section import Section
from migrator.core.errors import UsageError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_SHOWN = 40
Model = TypeVar("Model", bound=Section)


def load(path: Path) -> Config:
    """Read and check a configuration file.

    Raises:
        UsageError: The file is missing, is not TOML, or a key in it is wrong; the message names
            the key, what was found and what is allowed.
    """
    # Somebody in the wrong folder is not to begin a second migration there.
    missing = (
        f"this is {Path.cwd()}: go to the migration's folder, or name its file, migrator --config PATH …; "
        "a new migration begins with: migrator init --verified-when confirmed"
    )
    return read(path, Config, missing=missing)


def read(path: Path, model: type[Model], *, missing: str) -> Model:
    """Read and check a TOML file.

    Args:
        path: The file.
        model: What it holds.
        missing: What to do when there is no such file.

    Raises:
        UsageError: The file is missing, is not TOML, or a key in it is wrong.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"there is no {path}", hint=missing) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}", hint=f"edit {path}") from error
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", hint=f"ls -l {path}"
        ) from error
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = "\n".join(f"  {_say(detail)}" for detail in error.errors())
        raise UsageError(f"{path} is wrong:\n{found}", hint=f"edit {path}") from None


def _say(detail: ErrorDetails) -> str:
    key = ".".join(str(part) for part in detail["loc"]) or "(whole file)"
    if detail["type"] == "extra_forbidden":
        return f"{key}: unknown key"
    if detail["type"] == "missing":
        return f"{key}: missing"
    return f"{key}: found {_found(detail)}; {detail['msg'].removeprefix('Value error, ')}"


def _found(detail: ErrorDetails) -> str:
    # A value refused by a secret's type may be the secret.
    if "a secret is written as" in detail["msg"]:
        return "a value in clear"
    text = repr(detail["input"])
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
