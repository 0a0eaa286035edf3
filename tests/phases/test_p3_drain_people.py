"""Gates on who has moved, and on what happens at Auther."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.core.errors import UsageError
from migrator.gates.verdict import GateState
from tests.auther.plugin.door import ENVIRONMENT, SECRETS, Door, person
from tests.auther.plugin.users import bcrypt_envelope
from tests.parts.drain import Drain
from tests.parts.stage_file import create_side_tables
from tests.phases.gate_looks import look

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.parts.better_auth import BetterAuth

GATE = """
[[gates]]
name = "people"
before = "auther"
measure = "{measure}"
at_most = 0
consecutive = 1
span = "0s"
"""


@pytest.fixture
def drain(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Drain:
    create_side_tables(devise_db)
    drain = Drain(tmp_path, devise_db, ())
    for name, value in drain.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("STATISTICS_SECRET", SECRETS["STATISTICS"])
    return drain


def ask(drain: Drain, measure: str, *, auther: str = "") -> None:
    """Configure one gate, and where Auther is."""
    drain.configure(
        '[plugin]\nstatistics_secret = "env:STATISTICS_SECRET"\n' + GATE.format(measure=measure)
    )
    path = drain.root / "migrator.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("[auther]", f'[auther]\nbase_url = "{auther}"'), encoding="utf-8")


def test_a_gate_waits_for_the_last_user_to_move(drain: Drain) -> None:
    ask(drain, "legacy_homes")
    with psycopg.connect(drain.dsn, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO migrator_identity (source, user_pk, auther_id, last_legacy_at)"
            " VALUES ('User', '1', 'a1', now() - interval '2 days')"
        )
        staying = look(drain)
        assert (staying.state, staying.value) == (GateState.FAILED, 1)
        connection.execute("UPDATE migrator_identity SET home = 'auther'")
        assert look(drain).state is GateState.PASSED
        ask(drain, "users_seen_on_legacy")
        assert look(drain).state is GateState.PASSED
        connection.execute("UPDATE migrator_identity SET last_legacy_at = now()")
        assert look(drain).state is GateState.FAILED
        connection.execute("DROP TABLE migrator_identity")
    assert look(drain).reason.startswith("UNPROVEN: there is no table migrator_identity yet")


def test_a_gate_counts_what_fails_at_auther_and_is_held_while_it_is_away(
    drain: Drain, better_auth: Callable[..., BetterAuth]
) -> None:
    with better_auth(drain.root / "auther.db", env=ENVIRONMENT) as auther:
        row = person(password=bcrypt_envelope("correct horse"))
        Door(auther).upsert(row)
        ask(drain, "auther_sign_in_failures", auther=auther.base_url)
        assert look(drain).state is GateState.HELD
        assert look(drain).state is GateState.PASSED
        auther.sign_in(row["user"]["email"], "wrong horse")
        assert look(drain).state is GateState.FAILED
        ask(drain, "unrehashed_users", auther=auther.base_url)
        assert look(drain).value == 1
        auther.sign_in(row["user"]["email"], "correct horse")
        assert look(drain).state is GateState.PASSED
    away = look(drain)
    assert away.state is GateState.HELD
    assert (
        away.reason
        == f"ERROR: Auther at {auther.base_url}/api/auth does not answer (ConnectError)"
    )


def test_the_secret_travels_encrypted_or_not_at_all(drain: Drain) -> None:
    ask(drain, "auther_sign_ins", auther="http://auther.example.org")
    with pytest.raises(UsageError, match="would travel unencrypted"):
        look(drain)
