"""The signed form of a stage document, as published in a file and read by every shim.

`{"payload": "<JSON text>", "signature": "<base64url, no padding>"}`; Ed25519 over the UTF-8 bytes
of the payload text, so that no reader has to serialise JSON the way the writer did.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from migrator.core import ed25519
from migrator.core.stage import parse_document

if TYPE_CHECKING:
    from migrator.core.stage import StageDocument


def sign(document: StageDocument, private_key: str) -> str:
    """Give the text to publish.

    Args:
        document: What to say.
        private_key: Ed25519, base64url of the 32 raw bytes, or PEM (PKCS #8, no passphrase).

    Raises:
        ValueError: The key is neither.
    """
    payload = document.to_json()
    return json.dumps({"payload": payload, "signature": ed25519.sign(payload, private_key)}) + "\n"


def verify(text: str, public_key: str) -> StageDocument:
    """Read a published text.

    Args:
        text: What `sign` gave.
        public_key: Ed25519, base64url of the 32 raw bytes.

    Raises:
        ValueError: It is not signed by that key, or is no stage document.
    """
    try:
        outer = json.loads(text)
        payload = outer["payload"]
        signed = ed25519.is_signed(payload, outer["signature"], public_key)
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise ValueError("not a signed stage document") from error
    if not signed:
        raise ValueError("the stage document is not signed by this migration's key")
    return parse_document(payload)
