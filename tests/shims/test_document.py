from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from migrator.conformance.signing_keys import b64url
from migrator.core.ed25519 import public_key_of
from migrator.core.stage import Stage, StageDocument
from migrator.shims.document import sign, verify

KEY = Ed25519PrivateKey.generate()
RAW = b64url(KEY.private_bytes_raw())
DOCUMENT = StageDocument(
    namespace="club",
    epoch=7,
    stage=Stage.DUAL,
    percent=12.34,
    salt="5a17",
    issued_at="2026-11-23T03:00:00.000000Z",
    ledger_head="ab" * 32,
    ledger_length=41,
)


def pem(key: Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize("key", [RAW, RAW + "=", pem(KEY)], ids=["raw", "padded", "PEM"])
def test_what_is_signed_with_either_form_of_a_key_is_read(key: str) -> None:
    assert verify(sign(DOCUMENT, key), public_key_of(RAW)) == DOCUMENT


def test_the_payload_is_text_so_that_nobody_has_to_serialise_it_again() -> None:
    outer = json.loads(sign(DOCUMENT, RAW))

    assert set(outer) == {"payload", "signature"}
    assert json.loads(outer["payload"])["percent"] == 12.34
    assert "=" not in outer["signature"]


def test_another_key_is_refused() -> None:
    other = public_key_of(b64url(Ed25519PrivateKey.generate().private_bytes_raw()))
    with pytest.raises(ValueError, match="not signed by this migration's key"):
        verify(sign(DOCUMENT, RAW), other)


@given(st.integers(min_value=0), st.sampled_from('0123456789abcdef{}" :,'))
def test_no_character_of_the_payload_can_be_changed(position: int, character: str) -> None:
    outer = json.loads(sign(DOCUMENT, RAW))
    payload = outer["payload"]
    at = position % len(payload)
    changed = payload[:at] + character + payload[at + 1 :]
    if changed != payload:
        with pytest.raises(ValueError, match="not signed"):
            verify(json.dumps(outer | {"payload": changed}), public_key_of(RAW))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"payload": 1, "signature": ""}',
        '{"payload": "{}", "signature": "?"}',
    ],
)
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a signed stage document"):
        verify(text, public_key_of(RAW))


def test_keys_of_another_kind_are_refused() -> None:
    ec = generate_private_key(SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    for key in (ec.decode(), b64url(b"too short"), "not base64 at all!"):
        with pytest.raises(ValueError, match=r"key|base64url"):
            sign(DOCUMENT, key)
