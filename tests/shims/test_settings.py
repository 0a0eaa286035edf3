from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migrator.config.model import Config
from migrator.shims.settings import settings_from

if TYPE_CHECKING:
    from migrator.shims.interface import ShimSettings

FILE = {
    "migration": {"name": "club", "key": "env:KEY"},
    "legacy": {"dsn": "env:DSN", "model": "Member", "users_table": "app.members"},
    "auther": {
        "database": Path("auther.db"),
        "base_url": "https://id.example.org/",
        "client_id": "web",
    },
    "import": {"verified_when": "always"},
    "stage": {"signing_key": "file:stage.key", "expected_instances": 1},
    "shim": {"redirect_uri": "https://club.example.org/auth/callback", "build": "12"},
}


def made(**sections: dict[str, object]) -> ShimSettings:
    data = {name: {**section, **sections.get(name, {})} for name, section in FILE.items()}
    return settings_from(Config.model_validate(data), stage_public_key="PUBLIC")


def test_addresses_follow_from_authers_base() -> None:
    settings = made()

    assert settings.missing() == ()
    assert settings.issuers == ("https://id.example.org",)
    assert settings.jwks_url == "https://id.example.org/api/auth/jwks"
    assert settings.token_url == "https://id.example.org/api/auth/oauth2/token"
    assert settings.audiences == ("web",)


def test_what_is_listed_wins_over_what_follows() -> None:
    settings = made(auther={"issuers": ["https://a", "https://b"], "audiences": ["web", "app"]})

    assert settings.issuers == ("https://a", "https://b")
    assert settings.audiences == ("web", "app")


def test_the_users_table_is_the_configured_one() -> None:
    settings = made(legacy={"columns": {"id": "member_id"}})

    assert (settings.source, settings.users_table) == ("Member", "app.members")
    assert settings.users_pk == "member_id"


@pytest.mark.parametrize(
    ("section", "empty", "missing"),
    [
        ("auther", {"base_url": ""}, {"issuers", "jwks_url", "authorize_url", "token_url"}),
        ("auther", {"client_id": ""}, {"client_id", "audiences"}),
        ("shim", {"redirect_uri": ""}, {"redirect_uri"}),
    ],
)
def test_what_is_empty_stays_a_placeholder(
    section: str, empty: dict[str, object], missing: set[str]
) -> None:
    assert set(made(**{section: empty}).missing()) == missing
