"""The way into an Auther that runs, through the plugin installed in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from migrator.auther.ways.door import refuse_clear_text
from migrator.auther.ways.endpoint import open_endpoint
from migrator.auther.ways.saving import save_users

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from migrator.auther.ways.calling import Patience
    from migrator.auther.ways.endpoint import EndpointTarget
    from migrator.config.model import Config


class PluginDoor:
    """A running Auther with the plugin; it has tables, or it would not run."""

    snapshot_suffix = ".jsonl"

    def __init__(self, api: str, *, secret: str, patience: Patience | None = None) -> None:
        self.name = f"Auther at {refuse_clear_text(api, 'imports')}"
        self._api = api
        self._secret = secret
        self._patience = patience

    @classmethod
    def of(cls, config: Config, root: Path, patience: Patience) -> Self:
        """Take address and secret from the configuration."""
        secret = config.plugin.import_secret.reveal(root)
        return cls(config.auther.api, secret=secret, patience=patience)

    def is_absent(self) -> bool:  # noqa: D102
        return False

    def refuse_in_use(self) -> None:
        """Let everything pass: it is Auther that writes."""

    def save(self, into: Path) -> int:  # noqa: D102
        with self.opened(writing=False) as target:
            return save_users(target, into)

    def opened(  # noqa: D102
        self,
        *,
        writing: bool,  # noqa: ARG002 - the same door for both
        bulk: bool = False,  # noqa: ARG002 - it is never ours alone
    ) -> AbstractContextManager[EndpointTarget]:
        return open_endpoint(self._api, secret=self._secret, patience=self._patience)
