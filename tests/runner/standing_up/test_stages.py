"""From an Auther that is not ready to every stage that sends people there: nobody stands before a closed door.

A real better-auth with the OIDC provider, the client made by `client ensure`, and the stage moved by its own guards.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jwt
import pytest

from migrator.config.load import load
from migrator.core.clock import SystemClock
from migrator.core.errors import HeldError, RefusedError
from migrator.core.progress import Progress
from migrator.runner.context import make_context
from migrator.runner.standing_up.clients import ensure_client
from migrator.runner.standing_up.doctoring import diagnose
from phases import p2_dual_path
from tests.auther.plugin.users import Users, bcrypt_envelope
from tests.parts import require
from tests.parts.better_auth import Client, start
from tests.parts.better_auth.browser import Journey
from tests.phases.switching import AUTHER, DRAIN, DUAL, FAR, Switching, make_switching

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrator.core.stage import Stage
    from tests.auther.plugin.users import User
    from tests.parts.better_auth import BetterAuth

PASSWORD = "correct horse battery"
CALLBACK = "https://club.example.org/auth/callback"
CLIENT = Client("club", (CALLBACK,), row=False)
STATISTICS = "s" * 40
OWN_WORDS = re.compile(r"^(sign_up_url|forgot_password_url|links_accounts) = .*\n", re.MULTILINE)


@dataclass(frozen=True)
class Stand:
    """The migration, and the Auther that it leads to."""

    site: Switching
    auther: BetterAuth
    users: Users
    mail: Path

    def go(self, stage: Stage, percent: float | None = None) -> None:
        self.site.pass_gates(stage)
        self.site.beat(epoch=FAR, baked="auther")
        p2_dual_path.run(self.site.ctx, stage, percent=percent)

    def sign_in(self, user: User) -> dict[str, object]:
        """An imported user, through authorize and the login page."""
        with Journey(self.auther, CLIENT) as journey:
            journey.submit("/sign-in", email=user.email, password=PASSWORD)
            return self.verified(journey)

    def register(self, email: str) -> dict[str, object]:
        """Somebody new, through authorize, the page to register, and the mail."""
        with Journey(self.auther, CLIENT) as journey:
            journey.submit("/sign-up", name="Nia New", email=email, password=PASSWORD)
            journey.open(self.last_mail(email))
            return self.verified(journey)

    def last_mail(self, to: str) -> str:
        mails = [json.loads(line) for line in self.mail.read_text().splitlines()]
        return str(next(mail["url"] for mail in reversed(mails) if mail["to"] == to))

    def verified(self, journey: Journey) -> dict[str, object]:
        """Check the id_token as an application does."""
        tokens = journey.redeem()
        keys = jwt.PyJWKSet.from_dict(self.auther.request("GET", "/api/auth/jwks").json())
        claims = jwt.decode(
            tokens.id_token,
            keys[jwt.get_unverified_header(tokens.id_token)["kid"]],
            algorithms=["EdDSA"],
            audience="club",
            issuer=self.auther.base_url,
            options={"verify_iat": False},
        )
        assert claims["nonce"] == tokens.nonce
        return claims


@pytest.fixture
def stand(fresh_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    """Everything in stage legacy; Auther knows the client from its configuration alone."""
    require("node")
    mail, path = tmp_path / "mail.jsonl", tmp_path / "auther.db"
    env = {"MIGRATOR_SECRET_STATISTICS": STATISTICS, "MIGRATOR_MARK": "00" * 32}
    with start(path, clients=[CLIENT], behaviour={"mailFile": str(mail)}, env=env) as auther:
        site = make_switching(tmp_path, fresh_db, monkeypatch, gates=("dual", "drain", "auther"))
        yield Stand(pointed_at(site, auther, path), auther, Users(path), mail)


def pointed_at(site: Switching, auther: BetterAuth, path: Path) -> Switching:
    """Let the configuration name the real Auther, and leave every door to it."""
    users = Users(path)
    canary = users.add(bcrypt_envelope(PASSWORD))
    for name, text in {"email": canary.email, "password": PASSWORD}.items():
        (site.root / name).write_text(text)
        (site.root / name).chmod(0o600)
    file = site.root / "migrator.toml"
    base = auther.base_url
    named = f'base_url = "{base}"\nissuers = ["{base}"]\naudiences = ["club"]'
    text = OWN_WORDS.sub("", file.read_text())
    text = text.replace('base_url = "https://id.example.org"', named)
    doctor = '[auther.doctor]\nemail = "file:email"\npassword = "file:password"\n[import]'
    file.write_text(text.replace("[import]", doctor))
    ctx = make_context(load(file), root=site.root, clock=SystemClock(), progress=Progress())
    site.beat(epoch=FAR, baked="auther")
    return Switching(ctx, site.root, site.dsn)


def test_imported_and_new_people_get_in_wherever_a_stage_sends_them(stand: Stand) -> None:
    ctx, imported = stand.site.ctx, stand.users.add(bcrypt_envelope(PASSWORD))
    stand.go(DUAL, 0)
    with pytest.raises(HeldError, match="nobody has looked at Auther within 24 h: registration"):
        stand.go(DUAL, 10)
    assert "client" in diagnose(ctx).missing
    ensure_client(ctx)
    made = diagnose(ctx)
    assert not made.missing

    for number, (stage, percent) in enumerate(((DUAL, 10), (DRAIN, None), (AUTHER, None))):
        stand.go(stage, percent)
        assert stand.sign_in(imported)["sub"] == imported.id
        email = f"new-{number}@example.com"
        claims = stand.register(email)
        assert (claims["email"], claims["email_verified"]) == (email, True)
        assert claims["sub"] != imported.id


@pytest.mark.parametrize(
    ("behaviour", "error", "message"),
    [
        ({"pages": False}, RefusedError, "registration of new users, forgotten passwords"),
        ({"reset": False}, RefusedError, "not ready: forgotten passwords"),
        ({"social": ["google"]}, HeldError, "not known of Auther: no linking of accounts"),
    ],
)
def test_a_closed_door_holds_every_step_there_and_none_back(
    fresh_db: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    behaviour: dict[str, object],
    error: type[Exception],
    message: str,
) -> None:
    require("node")
    path = tmp_path / "auther.db"
    with start(path, clients=[Client("club", (CALLBACK,))], behaviour=behaviour) as auther:
        site = pointed_at(make_switching(tmp_path, fresh_db, monkeypatch), auther, path)
        diagnose(site.ctx)
    stand = Stand(site, auther, Users(path), path)
    stand.go(DUAL, 0)
    with pytest.raises(error, match=message):
        stand.go(DUAL, 10)
    assert message.rpartition(": ")[2] in str(p2_dual_path.plan(site.ctx, DRAIN).held)
    p2_dual_path.rollback(site.ctx)
