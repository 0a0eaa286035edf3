"""A folder with a migrator.toml for a test database, as an operator would have it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.config.model import Config
from migrator.core.clock import ManualClock
from migrator.core.progress import Progress
from migrator.runner.context import Context, make_context
from tests.legacy.surveying import NOW, oracle

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
[migration]
name = "club"
key = "file:migration.key"
[legacy]
dsn = "file:legacy.dsn"
identities_table = "public.identities"
{legacy}
[auther]
database = "auther.db"
{auther}
[import]
verified_when = "confirmed"
{import_}
[stage]
signing_key = "file:migration.key"
expected_instances = 1
"""
PEPPER = """
[[legacy.peppers]]
id = "2024"
value = "file:pepper"
"""


@dataclass(frozen=True)
class Site:
    """An operator's folder."""

    root: Path

    @property
    def config_file(self) -> Path:
        return self.root / "migrator.toml"

    def context(self) -> Context:
        """Open the context at a fixed time, so that locks stand as the oracle says."""
        config = Config.model_validate(tomllib.loads(self.config_file.read_text()))
        return make_context(config, root=self.root, clock=ManualClock(NOW), progress=Progress())

    def without_identities(self) -> Site:
        """Take the identities table out of the configuration."""
        text = self.config_file.read_text()
        self.config_file.write_text(text.replace('identities_table = "public.identities"\n', ""))
        return self

    def secret(self, name: str, text: str) -> Path:
        path = self.root / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return path


def make_site(
    root: Path,
    dsn: str,
    *,
    legacy: str = "",
    auther: str = "",
    import_: str = "",
    pepper: str | None = None,
) -> Site:
    """Write configuration and secrets; the pepper is the oracle's unless another is given."""
    site = Site(root)
    site.secret("migration.key", "k" * 43)
    site.secret("legacy.dsn", dsn)
    real = next(row["pepper"] for row in oracle() if row["pepper"])
    site.secret("pepper", real if pepper is None else pepper)
    text = CONFIG.format(legacy=legacy, auther=auther, import_=import_) + PEPPER
    site.config_file.write_text(text)
    return site
