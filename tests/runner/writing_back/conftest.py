"""The scene of the write-back's tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from migrator.core.stage import Stage
from tests.runner.writing_back.scene import Scene, make_scene

if TYPE_CHECKING:
    from pathlib import Path

Make = Callable[..., Scene]


@pytest.fixture
def make(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Make:
    return lambda settings="": make_scene(tmp_path, devise_db, monkeypatch, settings=settings)


@pytest.fixture
def scene(make: Make) -> Scene:
    """In stage `dual`."""
    made = make()
    made.enter(Stage.DUAL)
    return made
