"""The part of [auther] that says how users get into it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from migrator.config.secrets import SecretRef
from migrator.config.section import Section

_NEEDED = {"sqlite": "database", "libsql": "url", "endpoint": "base_url"}


class WayIn(Section):
    """Where Auther's users are written.

    Attributes:
        kind: `sqlite`: the file `database`, before Auther runs on it. `libsql`: the server `url`.
            `endpoint`: the plugin at `base_url`, with `plugin.import_secret`.
        token: What the libSQL server asks for as a bearer token.
        account_issuers: Issuers that better-auth 1.7.0 to 1.7.2 write beside accounts, by provider; only
            those that depend on a tenant have to be named.
    """

    kind: Literal["sqlite", "libsql", "endpoint"] = "sqlite"
    database: Path = Path()
    url: str = ""
    token: SecretRef | None = None
    base_url: str = ""
    account_issuers: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_where(self) -> WayIn:
        needed = _NEEDED[self.kind]
        if getattr(self, needed) in {"", Path()}:
            raise ValueError(f'kind = "{self.kind}" needs {needed}')
        return self
