"""A migration with two approvers, and their keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.config.load import load
from migrator.core.approval import sign_request
from migrator.core.clock import Clock, SystemClock
from migrator.core.ed25519 import new_private_key, public_key_of
from migrator.core.progress import Progress
from migrator.runner.approving import signature_file
from migrator.runner.context import Context, make_context

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
[migration]
name = "shop"
key = "env:MIGRATION_KEY"
[legacy]
dsn = "env:LEGACY_DATABASE_URL"
[auther]
database = "auther.db"
[import]
verified_when = "confirmed"
[stage]
signing_key = "file:stage.key"
expected_instances = 1
"""


def approvers(keys: dict[str, str]) -> str:
    """Give the configuration's lines about these people."""
    return "".join(
        f'[[approvers]]\nname = "{name}"\npublic_key = "{public_key_of(key)}"\n'
        for name, key in keys.items()
    )


@dataclass
class Team:
    """A folder with a migration, and the private keys of those who may approve."""

    root: Path
    keys: dict[str, str] = field(
        default_factory=lambda: {name: new_private_key() for name in ("alice", "bob", "carol")}
    )

    def configure(self, *names: str, more: str = "") -> None:
        """Write the configuration with these approvers."""
        text = CONFIG + more + approvers({name: self.keys[name] for name in names})
        (self.root / "migrator.toml").write_text(text)

    def context(self, clock: Clock | None = None) -> Context:
        """Open the context as a command does."""
        return make_context(
            load(self.root / "migrator.toml"),
            root=self.root,
            clock=clock or SystemClock(),
            progress=Progress(),
        )

    def request(self) -> Path:
        """Give the newest request's file."""
        found = (self.root / ".migrator" / "approvals").glob("*.json")
        return max(found, key=lambda path: path.stat().st_mtime_ns)

    def sign(self, *names: str, request: Path | None = None) -> None:
        """Sign as these people do."""
        path = request or self.request()
        for name in names:
            signature = sign_request(path.read_text(), name=name, private_key=self.keys[name])
            signature_file(path, name).write_text(signature.to_text())
