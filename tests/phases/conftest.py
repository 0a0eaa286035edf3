"""Fixtures of phase 2; a module about another phase makes a `site` of its own kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.phases.switching import FAR, Make, Switching, make_switching

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def make(tmp_path: Path, fresh_db: str, monkeypatch: pytest.MonkeyPatch) -> Make:
    return lambda **options: make_switching(tmp_path, fresh_db, monkeypatch, **options)


@pytest.fixture
def site(make: Make) -> Switching:
    """One instance that follows whatever is published, gates that have passed."""
    site = make()
    site.beat(epoch=FAR, baked="auther")
    for step in ("dual", "drain", "auther"):
        site.pass_gates(step)
    return site
