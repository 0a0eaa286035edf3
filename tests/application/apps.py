"""Applications in a few lines, and how what was found in them is written down."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from migrator.application.readers import read_application

if TYPE_CHECKING:
    from migrator.application.interface import ApplicationFindings, Sign

ROOT = Path(__file__).parents[2]


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def read(root: Path, files: dict[str, str], *, users_table: str = "users") -> ApplicationFindings:
    return read_application(write(root, files), users_table=users_table)


def said(found: ApplicationFindings, sign: Sign) -> list[str]:
    return [str(place) for place in found.places(sign)]


def all_said(found: ApplicationFindings) -> dict[Sign, list[str]]:
    return {sign: said(found, sign) for sign in found.signs}
