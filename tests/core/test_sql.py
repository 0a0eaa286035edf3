from __future__ import annotations

import pytest

from migrator.core.sql import ident, qualified


def test_identifiers_are_quoted() -> None:
    assert ident("public", 'odd"name') == '"public"."odd""name"'


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_what_cannot_be_an_identifier_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="identifier"):
        ident("public", name)


def test_a_table_without_schema_is_public() -> None:
    assert qualified("users") == ("public", "users")
    assert qualified("crm.users") == ("crm", "users")
