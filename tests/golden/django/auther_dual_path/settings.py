"""What was baked into this build, and what its environment adds at start.

Nothing in this file is secret; secrets come from the environment only.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field, fields
from datetime import datetime
from urllib.parse import urlsplit

_URLS = ("jwks_url", "authorize_url", "token_url", "redirect_uri")
_OPTIONAL_URLS = ("plugin_url", "check_permission_url")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class NotConfiguredError(Exception):
    """The build must not start: a setting is missing or unsafe."""


@dataclass(frozen=True)
class Settings:
    """Baked settings. Names that end in `_s` are seconds.

    Attributes:
        stage_public_key: Ed25519, base64url of 32 raw bytes; stage documents must be signed by it.
        baked_stage: Holds while this instance has never seen a stage document.
        plugin_url: Base of the migration plugin's endpoints at Auther; empty: none is used.
        foreign_paths: Path prefixes below which bearers of other issuers go to your own
            authenticator; everywhere else they are refused.
        create_users: Whether an unknown `sub` gets a row (SQL function `migrator_new_user`).
        exchange_in_dual: Whether sessions are exchanged for Auther's in `dual` already.
        json_doors_until: ISO 8601 time from which sign-ins by JSON are refused in `drain`; empty:
            as soon as `drain` begins.
        renew_for_s: How long after its end an id_token's cookie is kept, so that the next page can
            be renewed.
        jwks_max_age_s: After this a key set is refreshed in the background.
        jwks_stale_s: After this a key set that could not be refreshed is no longer used.
    """

    issuers: tuple[str, ...]
    audiences: tuple[str, ...]
    algorithms: tuple[str, ...]
    jwks_url: str
    client_id: str
    authorize_url: str
    token_url: str
    redirect_uri: str
    source: str
    namespace: str
    stage_public_key: str
    build: str
    baked_stage: str
    baked_percent: float
    after_login: str = "/"
    plugin_url: str = ""
    foreign_paths: tuple[str, ...] = ()
    create_users: bool = False
    exchange_in_dual: bool = False
    json_doors_until: str = ""
    check_permission_url: str = ""
    renew_for_s: int = 7 * 24 * 3600
    verified_tokens: int = 10_000
    leeway_s: float = 30
    max_token_bytes: int = 8192
    jwks_cooldown_s: float = 30
    jwks_retry_s: float = 5
    jwks_timeout_s: float = 5
    jwks_max_bytes: int = 262_144
    jwks_max_age_s: float = 600
    jwks_stale_s: float = 86_400
    stage_every_s: float = 2
    heartbeat_s: float = 10

    def __post_init__(self) -> None:
        names = (setting.name for setting in fields(self))
        left = ", ".join(name for name in names if "CHANGE_ME" in str(getattr(self, name)))
        if left:
            raise NotConfiguredError(f"auther_dual_path/settings.py: CHANGE_ME is left in {left}")
        for name in (*_URLS, *(name for name in _OPTIONAL_URLS if getattr(self, name))):
            if not _is_https_or_loopback(getattr(self, name)):
                raise NotConfiguredError(f"{name} must be https (http only on this machine)")
        if not 0 <= self.leeway_s <= 60:
            raise NotConfiguredError("leeway_s must lie between 0 and 60")
        if not all(prefix.startswith("/") for prefix in self.foreign_paths):
            raise NotConfiguredError("each of foreign_paths must begin with /")

    @property
    def secure_cookies(self) -> bool:
        """Tell whether cookies carry the `__Host-` prefix.

        From the settings, not from the request: behind a proxy that ends TLS the request may look
        like http, and then a cookie of another name would decide.
        """
        return urlsplit(self.redirect_uri).scheme == "https"

    def cookie(self, name: str) -> str:
        """Give a cookie's full name."""
        return f"__Host-{name}" if self.secure_cookies else name

    @property
    def origin(self) -> str:
        """Give this application's own origin, as browsers see it."""
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def callback_path(self) -> str:
        """Give the path that Auther sends browsers back to."""
        return urlsplit(self.redirect_uri).path

    def json_doors_are_open(self, now_s: float) -> bool:
        """Tell whether sign-ins by JSON are still served in `drain`."""
        until = self.json_doors_until
        return bool(until) and now_s < datetime.fromisoformat(until).timestamp()


@dataclass(frozen=True)
class Environment:
    """What the environment adds. Empty means not set.

    Attributes:
        client_secret: Of this client at Auther; a public client has none.
        verify_secret: And the next four: each opens one of the plugin's endpoints.
        jwks_cooldown_s: Shortens the pause between two fetches of the key set, 1 to 30.
    """

    stage_file: str = ""
    stage_cache: str = ""
    instance: str = ""
    control_secret: str = field(default="", repr=False)
    metrics_token: str = field(default="", repr=False)
    client_secret: str = field(default="", repr=False)
    verify_secret: str = field(default="", repr=False)
    capture_secret: str = field(default="", repr=False)
    exchange_secret: str = field(default="", repr=False)
    reset_secret: str = field(default="", repr=False)
    logout_secret: str = field(default="", repr=False)
    jwks_cooldown_s: float = 30

    def __post_init__(self) -> None:
        if not 1 <= self.jwks_cooldown_s <= 30:
            raise NotConfiguredError("MIGRATOR_JWKS_COOLDOWN_S must lie between 1 and 30")

    @classmethod
    def read(cls) -> Environment:
        """Read the process's environment."""
        given = {name: os.environ.get(variable, "") for name, variable in _VARIABLES.items()}
        try:
            cooldown_s = float(os.environ.get("MIGRATOR_JWKS_COOLDOWN_S") or 30)
        except ValueError:
            raise NotConfiguredError("MIGRATOR_JWKS_COOLDOWN_S must be a number") from None
        return cls(**given, jwks_cooldown_s=cooldown_s)

    def instance_name(self) -> str:
        """Give the name under which this process reports: each worker is an instance."""
        return self.instance or f"{socket.gethostname()}#{os.getpid()}"


_VARIABLES = {
    "stage_file": "MIGRATOR_STAGE_FILE",
    "stage_cache": "MIGRATOR_STAGE_CACHE",
    "instance": "MIGRATOR_INSTANCE",
    "control_secret": "MIGRATOR_CONTROL_SECRET",
    "metrics_token": "MIGRATOR_METRICS_TOKEN",
    "client_secret": "AUTHER_CLIENT_SECRET",
    "verify_secret": "MIGRATOR_VERIFY_SECRET",
    "capture_secret": "MIGRATOR_CAPTURE_SECRET",
    "exchange_secret": "MIGRATOR_EXCHANGE_SECRET",
    "reset_secret": "MIGRATOR_RESET_SECRET",
    "logout_secret": "MIGRATOR_LOGOUT_SECRET",
}


def _is_https_or_loopback(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


SETTINGS = Settings(
    issuers=("https://id.example.org",),
    audiences=("club",),
    algorithms=("EdDSA",),
    jwks_url="https://id.example.org/api/auth/jwks",
    client_id="club",
    authorize_url="https://id.example.org/api/auth/oauth2/authorize",
    token_url="https://id.example.org/api/auth/oauth2/token",
    redirect_uri="https://club.example.org/auth/callback",
    source="User",
    namespace="club",
    stage_public_key="XHUYBkVE9pgEVSm7k4CRtZ4SUz2gCEBsDDW5B10n9so",
    build="1",
    baked_stage="dual",
    baked_percent=0.0,
    after_login="/",
    plugin_url="https://id.example.org/api/auth/migrator",
    foreign_paths=(),
    create_users=False,
    exchange_in_dual=False,
    json_doors_until="",
    check_permission_url="",
)
