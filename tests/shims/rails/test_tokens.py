"""What the conformance suite does not say of a token, in the header of a running application."""

import time
from typing import Any

import pytest

from migrator.conformance.signing_keys import b64url
from tests.shims.rails.club import ALICE, BOB, XHR, Club

NOW_S = int(time.time())
INVALID = (401, {"error": "invalid_token"})
FOREIGN = (401, {"error": "foreign_bearer"})


def answer_to(club: Club, token: str) -> tuple[int, dict[str, Any]]:
    with club.browser(signed_in=BOB) as client:
        answer = client.get("/whoami", headers={"Authorization": f"Bearer {token}", **XHR})
        return answer.status_code, answer.json()


@pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "payload", "signature"])
def test_other_spellings_of_the_same_bytes(club: Club, part: int) -> None:
    segments = club.token(ALICE).split(".")
    padded = [*segments]
    padded[part] += "=" * (-len(padded[part]) % 4) or "="
    # With a payload that cannot be read it is not even a candidate.
    assert answer_to(club, ".".join(padded)) == (FOREIGN if part == 1 else INVALID)


@pytest.mark.parametrize("length", [0, 1, 63, 65, 128])
def test_signatures_of_another_length(club: Club, length: int) -> None:
    head, payload, _ = club.token(ALICE).split(".")
    assert answer_to(club, f"{head}.{payload}.{b64url(b'x' * length)}") == INVALID


def test_a_deeply_nested_payload(club: Club) -> None:
    payload = b64url(
        b'{"iss":"' + club.issuer.issuer.encode() + b'","a":' + b"[" * 900 + b"]" * 900 + b"}"
    )
    assert answer_to(club, f"{club.token(ALICE).split('.')[0]}.{payload}.AAAA") == FOREIGN


def test_basic_passes_to_devise(club: Club) -> None:
    person = club.people[ALICE]
    credentials = (person["email"], person["plaintext_password"])
    with club.browser() as client:
        assert client.get("/members", auth=credentials).status_code == 200
        assert (
            client.get("/members", auth=(credentials[0], "wrong"), headers=XHR).status_code == 401
        )
