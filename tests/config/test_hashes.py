"""`[[legacy.digests]]` of migrator.toml."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from migrator.config.model import LegacySection

LEGACY = {"dsn": "env:X"}
SHA1 = {"scheme": "encryptable_sha1", "stretches": 10}
SHA512 = {"scheme": "encryptable_sha512", "stretches": 20}
TEMPLATE = {"scheme": "template", "algorithm": "md5", "template": "{md5 {password}}{salt}"}
FIREBASE = {"scheme": "firebase_scrypt", "rounds": 8, "mem_cost": 14, "separator": "Bw=="}
SHA512_BASE64 = {
    "scheme": "template",
    "algorithm": "sha512",
    "template": "{salt}{password}",
    "output": "base64",
}


def read(*digests: dict[str, object]) -> LegacySection:
    return TypeAdapter(LegacySection).validate_python({**LEGACY, "digests": list(digests)})


def test_declarations_reach_the_registry() -> None:
    declared = read(SHA1, SHA512, TEMPLATE).declared
    assert [d.scheme for d in declared] == ["encryptable_sha1", "encryptable_sha512", "template"]
    assert declared[1].params_for("0a" * 64, "salt") == {"salt": "salt", "stretches": "20"}
    assert declared[2].peppered is False


@pytest.mark.parametrize(
    ("digests", "says"),
    [
        ([{"scheme": "sha3"}], "unknown scheme; there are: encryptable_sha1"),
        ([{"scheme": "encryptable_sha1"}], "needs stretches"),
        ([{**SHA1, "stretches": 10**6}], "less than or equal to 100000"),
        ([{**SHA1, "salt": "x"}], "Extra inputs"),
        ([{**TEMPLATE, "template": "{secret}"}], "a template knows {salt} {password}"),
        ([{**FIREBASE, "rounds": 65}], "rounds must be from 1 to 64"),
        ([{**FIREBASE, "stretches": 1}], "firebase_scrypt needs rounds, mem_cost and separator"),
        ([{**FIREBASE, "mem_cost": 19, "rounds": 64}], "more than 512 MiB"),
        ([FIREBASE, SHA512_BASE64], "firebase_scrypt and template would both"),
        ([SHA1, {"scheme": "clearance_sha1"}], "encryptable_sha1 and clearance_sha1 would both"),
    ],
)
def test_mistakes_are_told(digests: list[dict[str, object]], says: str) -> None:
    with pytest.raises(ValidationError, match=says.replace("{", r"\{")):
        read(*digests)
