"""The section [plugin]: what the migrator and the plugin at Auther share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from migrator.config.secrets import SecretRef
from migrator.config.section import Section

# Scheme and cost of the newest passwords that the application has.
FOLLOW = "follow"


def _file(name: str) -> SecretRef:
    return SecretRef("file", f".migrator/{name}")


class PluginSection(Section):
    """One secret per capability, at least 32 bytes each, and the key that opens write-back material.

    Files that are missing are made by `migrator import plugin --env-file`.

    Attributes:
        seal_key: The private X25519 key; the plugin gets the public one only.
        write_back: How passwords set at Auther become values of the application, e.g.
            `bcrypt:cost=12&pepper=2024`. Without a pepper the application's current one is taken, with
            `pepper=none` none. `follow`: as the newest passwords of the application are. Empty: such
            passwords are not brought back.
    """

    import_secret: SecretRef = _file("plugin-import.secret")
    verify_secret: SecretRef = _file("plugin-verify.secret")
    statistics_secret: SecretRef = _file("plugin-statistics.secret")
    events_secret: SecretRef = _file("plugin-events.secret")
    exchange_secret: SecretRef = _file("plugin-exchange.secret")
    logout_secret: SecretRef = _file("plugin-logout.secret")
    reset_secret: SecretRef = _file("plugin-reset.secret")
    capture_secret: SecretRef = _file("plugin-capture.secret")
    client_secret: SecretRef = _file("plugin-client.secret")
    seal_key: SecretRef = _file("seal.key")
    write_back: Annotated[str, Field(pattern=r"^(|[a-z0-9_-]+(:[^\s]+)?)$")] = "bcrypt:cost=12"
