"""The catalog of rich.sql, kept in catalog.json, so that SQL can be rendered without a server."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from migrator.core.catalog import Catalog
from migrator.core.sql import ident

ODD = ("Odd Schema", 'wörter "quoted" and long: 0123456789012345678901234567890')
TABLES = (ODD, ("public", "tokens"), ("public", "scratch"))
USERS = ("public", "users")
# Of the users table all that Devise brought.
COLUMNS = (
    "encrypted_password",
    "sign_in_count",
    "reset_password_token",
    "confirmation_token",
    "failed_attempts",
    "current_sign_in_ip",
    "confirmed_at",
)
ROLE = "a role"
KEPT = Path(__file__).with_name("catalog.json")
_RICH = Path(__file__).with_name("rich.sql")


def rich_sql(role: str) -> str:
    """Give the statements of rich.sql with its names filled in."""
    names = {
        ":odd": ident(*ODD),
        ":sequence": ident("Odd Schema", 'Zähler; -- "1"'),
        ":role": ident(role),
    }
    text = _RICH.read_text(encoding="utf-8")
    for placeholder, name in names.items():
        text = text.replace(placeholder, name)
    return text


def kept_catalog() -> Catalog:
    """Read what is kept."""
    return TypeAdapter(Catalog).validate_json(KEPT.read_text("utf-8"))
