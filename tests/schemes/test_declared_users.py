"""Digests of real users in the recorded Devise database, once an operator declares them."""

from __future__ import annotations

import psycopg
import pytest

from migrator.schemes.digests import declare
from migrator.schemes.registry import claimed_by
from tests.phases.importing import oracle

DECLARED = [
    declare("clearance_sha1", {}),
    declare("template", {"algorithm": "md5", "template": "{password}"}),
]


@pytest.mark.parametrize("category", ["legacy_sha1", "legacy_md5"])
def test_declared_digests_of_real_users_are_verified(devise_db: str, category: str) -> None:
    rows = [row for row in oracle() if row["category"] == category]
    assert len(rows) > 3
    query = "SELECT encrypted_password, password_salt FROM users WHERE id = %s"
    with psycopg.connect(devise_db) as connection:
        for row in rows:
            value, salt = connection.execute(query, [row["id"]]).fetchone()
            assert claimed_by(value, salt) is None
            claim = claimed_by(value, salt, DECLARED)
            assert claim is not None
            assert claim.verify(value, row["plaintext_password"].encode(), pepper=b"")
            assert not claim.verify(value, b"other", pepper=b"")
