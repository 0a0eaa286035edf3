"""The file migrator.toml: its model, its loading, its template."""

from pathlib import Path

DEFAULT_FILE = Path("migrator.toml")
