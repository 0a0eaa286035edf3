"""Tokens that are not quite right, in the header of a running application."""

import base64
import hmac
import json
import time
from hashlib import sha256
from typing import Any

import pytest

from migrator.conformance.signing_keys import SigningKey, b64url
from tests.shims.rails.club import ALICE, BOB, XHR, Club

NOW_S = int(time.time())
INVALID = (401, {"error": "invalid_token"})
FOREIGN = (401, {"error": "foreign_bearer"})


def answer_to(club: Club, token: str) -> tuple[int, dict[str, Any]]:
    with club.browser(signed_in=BOB) as client:
        answer = client.get("/whoami", headers={"Authorization": f"Bearer {token}", **XHR})
        return answer.status_code, answer.json()


def unsigned(header: dict[str, Any], token: str, signature: str = "") -> str:
    head = b64url(json.dumps(header).encode())
    return f"{head}.{token.split('.')[1]}.{signature}"


REFUSED_CLAIMS = {
    "expired": {"exp": NOW_S - 3600},
    "no exp": {"exp": None},
    "exp is text": {"exp": "never"},
    "exp is true": {"exp": True},
    "no sub": {"sub": None},
    "sub is a number": {"sub": 2},
    "sub is empty": {"sub": ""},
    "sub with a NUL": {"sub": "a\x00b"},
    "sub is huge": {"sub": "a" * 256},
    "no aud": {"aud": None},
    "wrong aud": {"aud": "another-client"},
    "wrong aud in a list": {"aud": ["one", "two"]},
    "aud is an object": {"aud": {"test-client": 1}},
    "not yet valid": {"nbf": NOW_S + 3600},
    "issued in the future, seconds": {"iat": NOW_S + 3600},
    "issued in the future, milliseconds": {"iat": (NOW_S + 3600) * 1000},
    "iat is text": {"iat": "yesterday"},
}


@pytest.mark.parametrize("claims", REFUSED_CLAIMS.values(), ids=REFUSED_CLAIMS)
def test_claims_that_are_refused(club: Club, claims: dict[str, Any]) -> None:
    sub = claims.get("sub", "auther-user-2")
    rest = {name: value for name, value in claims.items() if name != "sub"}
    assert answer_to(club, club.issuer.make_token(sub, **rest)) == (
        401,
        {"error": "invalid_token"},
    )


ACCEPTED_CLAIMS = {
    "iat in seconds": {"iat": NOW_S},
    "no iat": {"iat": None},
    "aud in a list": {"aud": ["other", "test-client"]},
    "nbf in the past": {"nbf": NOW_S - 5},
}


@pytest.mark.parametrize("claims", ACCEPTED_CLAIMS.values(), ids=ACCEPTED_CLAIMS)
def test_claims_that_are_accepted(club: Club, claims: dict[str, Any]) -> None:
    with club.browser() as client:
        token = club.token(ALICE, **claims)
        answer = client.get("/whoami", headers={"Authorization": f"Bearer {token}", **XHR})
        assert answer.json() == {"user": ALICE, "cart": None}


def test_a_token_that_expired_within_the_leeway_is_accepted(club: Club) -> None:
    test_claims_that_are_accepted(club, {"exp": int(time.time()) - 5})


REFUSED_HEADERS = {
    "no kid": {"kid": None},
    "kid is a number": {"kid": 7},
    "alg in other case": {"alg": "eddsa"},
    "alg ED25519": {"alg": "ED25519"},
    "no alg": {"alg": None},
    "jku": {"jku": "https://evil.example/jwks"},
    "x5u": {"x5u": "https://evil.example/cert"},
    "x5c": {"x5c": ["MII"]},
    "jwk": {"jwk": SigningKey().jwk()},
    "crit": {"crit": ["exp"]},
    "b64": {"b64": False},
}


@pytest.mark.parametrize("header", REFUSED_HEADERS.values(), ids=REFUSED_HEADERS)
def test_headers_that_are_refused(club: Club, header: dict[str, Any]) -> None:
    assert answer_to(club, club.token(ALICE, header=header)) == INVALID


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE"])
def test_alg_none(club: Club, algorithm: str) -> None:
    kid = club.issuer.keys[-1].kid
    for signature in ("", "AAAA"):
        token = unsigned({"alg": algorithm, "kid": kid}, club.token(ALICE), signature)
        assert answer_to(club, token) == INVALID


@pytest.mark.parametrize("secret", ["raw", "base64url", "jwk"])
def test_hs256_with_the_public_key(club: Club, secret: str) -> None:
    key = club.issuer.keys[-1]
    secrets = {
        "raw": key.public_bytes,
        "base64url": key.jwk()["x"].encode(),
        "jwk": json.dumps(key.jwk()).encode(),
    }
    bare = unsigned({"alg": "HS256", "kid": key.kid}, club.token(ALICE))
    mac = hmac.new(secrets[secret], bare[:-1].encode(), sha256).digest()
    assert answer_to(club, bare + b64url(mac)) == INVALID


def test_a_key_in_the_token_itself_is_not_used(club: Club) -> None:
    forger = SigningKey(kid=club.issuer.keys[-1].kid)
    token = club.token(ALICE, key=forger, header={"jwk": forger.jwk()})
    assert answer_to(club, token) == INVALID


@pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "payload", "signature"])
def test_other_spellings_of_the_same_bytes(club: Club, part: int) -> None:
    segments = club.token(ALICE).split(".")
    padded = [*segments]
    padded[part] += "=" * (-len(padded[part]) % 4) or "="
    # With a payload that cannot be read it is not even a candidate.
    assert answer_to(club, ".".join(padded)) == (FOREIGN if part == 1 else INVALID)


def test_spare_bits_in_the_signature(club: Club) -> None:
    head, payload, signature = club.token(ALICE).split(".")
    # 64 bytes leave four spare bits in the last of 86 characters.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = signature[:-1] + alphabet[alphabet.index(signature[-1]) + 1]
    pad = "=="
    assert base64.urlsafe_b64decode(other + pad) == base64.urlsafe_b64decode(signature + pad)
    assert answer_to(club, f"{head}.{payload}.{other}") == INVALID


@pytest.mark.parametrize("length", [0, 1, 63, 65, 128])
def test_signatures_of_another_length(club: Club, length: int) -> None:
    head, payload, _ = club.token(ALICE).split(".")
    assert answer_to(club, f"{head}.{payload}.{b64url(b'x' * length)}") == INVALID


def test_a_huge_token(club: Club) -> None:
    assert answer_to(club, club.token(ALICE, padding="x" * 20_000)) == INVALID


def test_a_deeply_nested_payload(club: Club) -> None:
    payload = b64url(
        b'{"iss":"' + club.issuer.issuer.encode() + b'","a":' + b"[" * 900 + b"]" * 900 + b"}"
    )
    assert answer_to(club, f"{club.token(ALICE).split('.')[0]}.{payload}.AAAA") == FOREIGN


@pytest.mark.parametrize(
    "spelling",
    ["bearer {}", "BEARER {}", "Bearer   {}"],
    ids=["lower case", "upper case", "blanks before"],
)
def test_spellings_of_bearer_that_are_one(club: Club, spelling: str) -> None:
    headers = {"Authorization": spelling.format(club.token(ALICE)), **XHR}
    assert club.browser().get("/whoami", headers=headers).json()["user"] == ALICE


@pytest.mark.parametrize("value", ["Bearer", "Bearer a b", "Bearer a,b", "Bearer\ta.b.c"])
def test_spellings_of_bearer_that_are_foreign(club: Club, value: str) -> None:
    with club.browser(signed_in=BOB) as client:
        answer = client.get("/whoami", headers={"Authorization": value, **XHR})
        assert (answer.status_code, answer.json()) == FOREIGN


def test_two_authorization_headers_are_refused(club: Club) -> None:
    good = ("Authorization", f"Bearer {club.token(ALICE)}")
    for other in ("Bearer x.y.z", "Basic eDp5", good[1]):
        for headers in ([good, ("Authorization", other)], [("Authorization", other), good]):
            assert club.browser().get("/whoami", headers=headers).status_code == 401


def test_headers_that_only_look_like_authorization(club: Club) -> None:
    token = f"Bearer {club.token(ALICE)}"
    names = [
        "X-Authorization",
        "X-HTTP-Authorization",
        "HTTP_AUTHORIZATION",
        "Proxy-Authorization",
    ]
    for name in names:
        assert club.browser().get("/whoami", headers={name: token, **XHR}).json()["user"] is None


def test_a_token_in_the_query_or_body_is_never_read(club: Club) -> None:
    names = ["access_token", "token", "id_token", "authorization", "auther_id_token"]
    query = dict.fromkeys(names, club.token(ALICE))
    with club.browser() as client:
        assert client.get("/whoami", params=query, headers=XHR).json()["user"] is None
        assert client.post("/notes", data=query, headers=XHR).status_code == 422


def test_basic_passes_to_devise(club: Club) -> None:
    person = club.people[ALICE]
    credentials = (person["email"], person["plaintext_password"])
    with club.browser() as client:
        assert client.get("/members", auth=credentials).status_code == 200
        assert (
            client.get("/members", auth=(credentials[0], "wrong"), headers=XHR).status_code == 401
        )
