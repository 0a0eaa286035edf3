"""Whose columns these are is told from the columns, and what is configured wins."""

from __future__ import annotations

import pytest

from migrator.core.errors import UsageError
from migrator.legacy.columns import find_columns
from migrator.legacy.interface import TableShape


def table(*columns: str) -> TableShape:
    types = {
        name: "date" if name.endswith("_at") else "text" for name in ("id", "email", *columns)
    }
    return TableShape("public", "users", types, ("id",))


@pytest.mark.parametrize(
    ("columns", "library", "password", "salt", "confirmed"),
    [
        ("encrypted_password confirmed_at", "devise", "encrypted_password", None, "confirmed_at"),
        ("encrypted_password password_salt", "devise-encryptable", "encrypted_password",
         "password_salt", None),
        ("crypted_password salt", "restful_authentication", "crypted_password", "salt", None),
        ("crypted_password salt activated_at", "restful_authentication", "crypted_password",
         "salt", "activated_at"),
        ("crypted_password password_salt persistence_token", "authlogic", "crypted_password",
         "password_salt", None),
        ("crypted_password persistence_token", "authlogic", "crypted_password", None, None),
        ("encrypted_password salt remember_token", "clearance", "encrypted_password", "salt", None),
        ("password_digest", "has_secure_password", "password_digest", None, None),
    ],
)  # fmt: skip
def test_each_library_is_known_by_its_columns(
    columns: str, library: str, password: str, salt: str | None, confirmed: str | None
) -> None:
    found = find_columns(table(*columns.split()), {})
    assert found.library == library
    assert found.column("encrypted_password") == password
    assert found.column("salt") == salt
    assert found.column("confirmed_at") == confirmed


def test_what_is_configured_wins_over_what_is_seen() -> None:
    columns = table("encrypted_password", "password_salt", "old_hash", "old_salt")
    overrides = {"encrypted_password": "old_hash", "salt": "old_salt"}
    found = find_columns(columns, overrides)
    assert (found.column("encrypted_password"), found.column("salt")) == ("old_hash", "old_salt")
    assert find_columns(columns, {"salt": ""}).column("salt") is None


def test_a_table_of_no_library_is_named_with_what_it_has() -> None:
    with pytest.raises(UsageError, match=r"has no column 'encrypted_password' .* id, email, pw"):
        find_columns(table("pw"), {})
