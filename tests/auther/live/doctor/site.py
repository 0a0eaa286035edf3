"""An operator's folder whose [auther] is a real better-auth, with a canary and an ordinary client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.config.load import load
from migrator.core.clock import SystemClock
from migrator.core.progress import Progress
from migrator.runner.context import Context, make_context
from migrator.runner.standing_up.doctoring import Diagnosis, diagnose
from tests.auther.plugin.users import User, Users, bcrypt_envelope
from tests.parts.better_auth import BetterAuth, Client, start

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "correct horse battery"
APP = Client("shop", ("http://localhost:4000/auth/callback",))
ROW_ONLY = Client("shop", APP.redirect_uris, trusted=False)
CONFIG = """
[migration]
name = "shop"
key = "env:SHOP_KEY"
[legacy]
dsn = "env:SHOP_DSN"
[auther]
database = "auther.db"
base_url = "{base_url}"
issuers = ["{base_url}"]
audiences = ["shop"]
client_id = "shop"
{auther}
[auther.doctor]
email = "file:canary.email"
password = "file:canary.password"
[import]
verified_when = "always"
[plugin]
statistics_secret = "file:statistics.secret"
verify_secret = "file:verify.secret"
[stage]
signing_key = "file:stage.key"
expected_instances = 1
[shim]
redirect_uri = "http://localhost:4000/auth/callback"
"""
# As the plugin reads them, at least 32 bytes each.
SECRETS = {"statistics": "s" * 40, "verify": "v" * 40}
CAPABILITIES = {f"MIGRATOR_SECRET_{name.upper()}": value for name, value in SECRETS.items()}


@dataclass(frozen=True)
class Site:
    """The folder and the server."""

    ctx: Context
    auther: BetterAuth
    users: Users
    canary: User

    def diagnose(self, **options: Any) -> Diagnosis:
        return diagnose(self.ctx, **options)

    @property
    def states(self) -> dict[str, str]:
        """What a diagnosis says, by question."""
        return {code: str(one.state) for code, one in self.diagnose().findings.items()}


def open_site(root: Path, auther: BetterAuth, *, more: str = "") -> Site:
    """Make the folder around a server whose database is `root/auther.db`, and a canary there."""
    users = Users(root / "auther.db")
    canary = users.add(bcrypt_envelope(PASSWORD))
    texts = {"canary.email": canary.email, "canary.password": PASSWORD, "stage.key": "k" * 43}
    texts |= {f"{name}.secret": secret for name, secret in SECRETS.items()}
    for name, text in texts.items():
        path = root / name
        path.write_text(text)
        path.chmod(0o600)
    path = root / "migrator.toml"
    path.write_text(CONFIG.format(base_url=auther.base_url, auther=more))
    ctx = make_context(load(path), root=root, clock=SystemClock(), progress=Progress())
    return Site(ctx, auther, users, canary)


__all__ = ["APP", "CAPABILITIES", "PASSWORD", "ROW_ONLY", "Site", "open_site", "start"]
