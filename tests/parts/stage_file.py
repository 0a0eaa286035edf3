"""What surrounds a shim under test: a signed stage document, the side tables, its secrets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg

from migrator.conformance.signing_keys import SigningKey, b64url
from migrator.core.ed25519 import public_key_of
from migrator.core.queries import load
from migrator.core.stage import Stage, StageDocument
from migrator.shims.document import sign
from migrator.shims.interface import ShimSettings

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.conformance.issuer import Issuer

CONTROL_SECRET = "control-secret-of-the-tests"
COOKIE_SECRET = "cookie-secret-of-the-tests-0123456789"
METRICS_TOKEN = "metrics-token-of-the-tests"
NAMESPACE = "club"

_DDL = load("migrator.legacy", "identity.sql")
SIDE_TABLES = ";".join(
    _DDL[f"create_{part}"].format(**{part: f"migrator_{part}"})
    for part in ("identity", "instance", "shadow", "tombstone", "token", "process")
)


class StageFile:
    """A signed stage document in a file, with a key of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        raw = SigningKey().private.private_bytes_raw()
        self.private_key = b64url(raw)
        self.document = StageDocument(
            namespace=NAMESPACE,
            epoch=0,
            stage=Stage.DUAL,
            percent=0.0,
            salt="5a17",
            issued_at="2026-11-23T00:00:00Z",
            ledger_head="00",
            ledger_length=1,
        )

    @property
    def public_key(self) -> str:
        """Give the key that is baked into the shim."""
        return public_key_of(self.private_key)

    def publish(self, document: StageDocument) -> None:
        """Sign and put in place in one move."""
        self.document = document
        draft = self.path.with_suffix(".draft")
        draft.write_text(sign(document, self.private_key))
        draft.replace(self.path)

    def set(
        self,
        stage: Stage,
        *,
        percent: float = 0.0,
        stop_accepting: bool = False,
        legacy_accept_until: str | None = None,
    ) -> None:
        """Publish the next epoch."""
        self.publish(
            replace(
                self.document,
                epoch=self.document.epoch + 1,
                stage=stage,
                percent=percent,
                stop_accepting=stop_accepting,
                legacy_accept_until=legacy_accept_until,
            )
        )


def create_side_tables(dsn: str) -> None:
    """Create the tables that the import makes in the application's database."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SIDE_TABLES)


def shim_settings(issuer: Issuer, *, stage_public_key: str, redirect_uri: str) -> ShimSettings:
    """Give the shim's settings for a local issuer."""
    return ShimSettings(
        issuers=(issuer.issuer,),
        audiences=(issuer.client_id,),
        jwks_url=issuer.jwks_url,
        client_id=issuer.client_id,
        authorize_url=issuer.authorize_url,
        token_url=issuer.token_url,
        redirect_uri=redirect_uri,
        namespace=NAMESPACE,
        stage_public_key=stage_public_key,
        build="test-build",
    )


def shim_environment(dsn: str, stage_file: Path, *, cache: Path, pepper: str) -> dict[str, str]:
    """Give the environment that a shim and its application read."""
    return {
        "DATABASE_URL": dsn,
        "DEVISE_PEPPER": pepper,
        "MIGRATOR_STAGE_FILE": str(stage_file),
        "MIGRATOR_STAGE_CACHE": str(cache),
        "MIGRATOR_INSTANCE": "web-1",
        "MIGRATOR_CONTROL_SECRET": CONTROL_SECRET,
        "MIGRATOR_METRICS_TOKEN": METRICS_TOKEN,
        "MIGRATOR_COOKIE_SECRET": COOKIE_SECRET,
    }
