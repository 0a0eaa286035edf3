"""What targets render, kept as plain files below tests/golden: `python -m tests.shims.golden` writes them anew."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from migrator.shims.interface import ShimSettings
from migrator.shims.targets import TARGETS
from tests.parts.program import write_files

if TYPE_CHECKING:
    from collections.abc import Mapping

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
SETTINGS = ShimSettings(
    issuers=("https://id.example.org",),
    audiences=("club",),
    jwks_url="https://id.example.org/api/auth/jwks",
    client_id="club",
    authorize_url="https://id.example.org/api/auth/oauth2/authorize",
    token_url="https://id.example.org/api/auth/oauth2/token",
    redirect_uri="https://club.example.org/auth/callback",
    namespace="club",
    stage_public_key="XHUYBkVE9pgEVSm7k4CRtZ4SUz2gCEBsDDW5B10n9so",
    plugin_url="https://id.example.org/api/auth/migrator",
)
NO_LEGACY = replace(SETTINGS, legacy=False)
KEPT: Mapping[str, tuple[str, ShimSettings]] = {
    "asgi": ("asgi", SETTINGS),
    "asgi-no-legacy": ("asgi", NO_LEGACY),
    "django": ("django", SETTINGS),
    "django-no-legacy": ("django", NO_LEGACY),
    "express": ("express", SETTINGS),
    "express-no-legacy": ("express", NO_LEGACY),
    "hono": ("hono", SETTINGS),
    "hono-no-legacy": ("hono", NO_LEGACY),
    "laravel": ("laravel", SETTINGS),
    "laravel-no-legacy": ("laravel", NO_LEGACY),
    "rails": ("rails", SETTINGS),
    "rails-no-legacy": ("rails", NO_LEGACY),
    "rack": ("rack", SETTINGS),
    "rack-no-legacy": ("rack", NO_LEGACY),
    "go": ("go", SETTINGS),
    "go-no-legacy": ("go", NO_LEGACY),
    "go-no-users": ("go", replace(NO_LEGACY, users_table="", delegate_permissions=True)),
}


def rendered(name: str) -> dict[str, str]:
    """Render what is kept under a name."""
    target, settings = KEPT[name]
    return TARGETS[target].files(settings)


def kept(name: str) -> dict[str, str]:
    """Read what is kept."""
    folder = GOLDEN / name
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in files}


def main() -> None:
    """Write all of it anew."""
    for name in KEPT:
        shutil.rmtree(GOLDEN / name, ignore_errors=True)
        write_files(GOLDEN / name, rendered(name))


if __name__ == "__main__":
    main()
