"""The column sets of Rails' authentication libraries, told apart by the columns that are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True)
class Preset:
    """A library's columns.

    Attributes:
        name: The library.
        seen_by: Columns that all have to be there.
        parts: Column by part, where it is not called like the part.
    """

    name: str
    seen_by: tuple[str, ...]
    parts: Mapping[str, str]


# The first one whose columns are there is taken: the more columns it asks for, the earlier.
PRESETS = (
    Preset(
        "devise-encryptable", ("encrypted_password", "password_salt"), {"salt": "password_salt"}
    ),
    Preset(
        "authlogic",
        ("crypted_password", "password_salt"),
        {"encrypted_password": "crypted_password", "salt": "password_salt"},
    ),
    Preset(
        "restful_authentication",
        ("crypted_password", "salt", "activated_at"),
        {"encrypted_password": "crypted_password", "confirmed_at": "activated_at"},
    ),
    Preset(
        "restful_authentication",
        ("crypted_password", "salt"),
        {"encrypted_password": "crypted_password"},
    ),
    # clearance's older versions; today's keep bcrypt in encrypted_password and have no salt.
    Preset("clearance", ("encrypted_password", "salt"), {}),
    Preset("devise", ("encrypted_password",), {}),
    Preset("authlogic", ("crypted_password",), {"encrypted_password": "crypted_password"}),
    Preset("has_secure_password", ("password_digest",), {"encrypted_password": "password_digest"}),
)
_DEVISE = Preset("devise", (), {})


def recognise(columns: Collection[str]) -> Preset:
    """Give the library whose columns these are; Devise where nothing else fits."""
    for preset in PRESETS:
        if all(column in columns for column in preset.seen_by):
            return preset
    return _DEVISE
