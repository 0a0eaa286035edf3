"""A real better-auth on a real libSQL server: whoever was imported signs in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bcrypt

from migrator.auther.ways.libsql import open_libsql
from migrator.core.envelope import Envelope
from tests.auther.rows import row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.parts.better_auth import BetterAuth


def test_an_imported_user_signs_in_and_is_rehashed(
    sqld: str, better_auth: Callable[..., BetterAuth], tmp_path: Path
) -> None:
    stored = bcrypt.hashpw(b"correct horse", bcrypt.gensalt(4)).decode()
    ada = row("ada")
    account = ada.accounts[0]._replace(password=Envelope("bcrypt", stored, ("none",)).encode())
    with open_libsql(sqld, writing=True) as target:
        server = better_auth(tmp_path / "unused.db", env={"DATABASE_URL": sqld})
        target.write([ada._replace(accounts=(account,))])
        assert server.sign_in("ada@x.org", "wrong horse").status == 401
        signed_in = server.sign_in("ada@x.org", "correct horse")
        assert (signed_in.status, signed_in.user_id) == (200, "ada")
        assert target.tables_in_use(["ada"]) == {"ada": ["session"]}
        password = target.read(["ada"])["ada"].accounts[0].password
    assert password is not None
    assert password != account.password
    assert not (tmp_path / "unused.db").exists()
