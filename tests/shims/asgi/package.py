"""Imports the generated package into this process, each time as a module of its own."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.shims.asgi import AsgiTarget

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    from migrator.shims.interface import ShimSettings
    from tests.parts.stage_file import StageFile

NAME = "auther_dual_path"


@dataclass(frozen=True)
class Package:
    """A generated package that can be imported from."""

    folder: Path
    stage: StageFile | None = None

    def module(self, name: str) -> ModuleType:
        """Give one of its modules."""
        return importlib.import_module(f"{NAME}.{name}")

    @property
    def settings(self) -> Any:
        """Give its baked settings."""
        return self.module("settings").SETTINGS


def imported(
    folder: Path, settings: ShimSettings, *, stage: StageFile | None = None
) -> Iterator[Package]:
    """Render the package, make it importable, and forget it afterwards."""
    for path, text in AsgiTarget().files(settings).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    sys.path.insert(0, str(folder))
    _forget()
    try:
        yield Package(folder, stage)
    finally:
        sys.path.remove(str(folder))
        _forget()


def _forget() -> None:
    for name in [name for name in sys.modules if name == NAME or name.startswith(f"{NAME}.")]:
        del sys.modules[name]
