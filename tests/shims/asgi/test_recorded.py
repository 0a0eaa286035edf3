"""Tokens that a real Auther wrote, verified by the generated code with the clock set back."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migrator.shims.interface import ShimSettings
from tests.parts.stage_file import StageFile
from tests.shims.asgi.package import Package, imported

RECORDED = json.loads((Path(__file__).parents[2] / "data" / "auther_recorded.json").read_text())
AUDIENCES = ("test-payload-spa-client", "payload-admin")


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Package]:
    base = ShimSettings.placeholders()
    yield from imported(
        tmp_path,
        replace(
            base,
            issuers=(RECORDED["discovery"]["issuer"],),
            audiences=AUDIENCES,
            jwks_url=RECORDED["discovery"]["jwks_uri"],
            client_id=AUDIENCES[0],
            authorize_url=RECORDED["discovery"]["authorization_endpoint"],
            token_url=RECORDED["discovery"]["token_endpoint"],
            redirect_uri="http://localhost:8000/auth/callback",
            namespace="club",
            stage_public_key=StageFile(tmp_path / "stage.json").public_key,
        ),
    )


def verify(package: Package, token: str, *, at_s: float) -> dict[str, Any]:
    async def jwks() -> bytes:
        return json.dumps(RECORDED["jwks"]).encode()

    async def run() -> dict[str, Any]:
        keys = package.module("keys").KeySet(package.settings, fetch=jwks)
        tokens = package.module("tokens")
        verifier = tokens.TokenVerifier(package.settings, keys, now=lambda: at_s)
        claims: dict[str, Any] = await verifier.verify(tokens.SentToken(token))
        return claims

    return asyncio.run(run())


def test_an_id_token_with_iat_in_milliseconds(package: Package) -> None:
    claims = verify(package, RECORDED["id_token"]["token"], at_s=RECORDED["recorded_at_s"])

    assert claims["sub"] == "xUPesYM7Fx9AsRPR5N9Ld8nL7FlQiIsg"


def test_a_session_token_with_iat_in_seconds(package: Package) -> None:
    claims = verify(package, RECORDED["set_auth_jwt"]["token"], at_s=RECORDED["recorded_at_s"])

    assert claims["aud"] == "payload-admin"


@pytest.mark.parametrize(("later_s", "reason"), [(3 * 86_400, "expired"), (-120, "not_yet_valid")])
def test_not_at_another_time(package: Package, later_s: int, reason: str) -> None:
    refused = package.module("tokens").TokenRefusedError
    with pytest.raises(refused) as error:
        verify(package, RECORDED["id_token"]["token"], at_s=RECORDED["recorded_at_s"] + later_s)
    assert error.value.reason == reason
