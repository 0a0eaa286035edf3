"""What a token has to be, in the running application."""

import base64
import hmac
import json
import time
from collections.abc import Callable
from hashlib import sha256

import pytest

from migrator.conformance.signing_keys import SigningKey, b64url
from tests.shims.asgi.club import ALICE, Club, sub_of

Make = Callable[[Club], str]


def segment(value: object) -> str:
    return b64url(json.dumps(value).encode())


def parts(token: str) -> list[str]:
    return token.split(".")


def with_header(**header: object) -> Make:
    return lambda club: club.token(ALICE, header=header)


def with_claims(**claims: object) -> Make:
    return lambda club: club.token(ALICE, **claims)


def unsigned(club: Club) -> str:
    _, payload, _ = parts(club.token(ALICE))
    return f"{segment({'alg': 'none', 'kid': club.issuer.keys[-1].kid})}.{payload}."


def hs256_with_the_public_key(club: Club) -> str:
    key = club.issuer.keys[-1]
    head = segment({"alg": "HS256", "kid": key.kid})
    signing_input = f"{head}.{parts(club.token(ALICE))[1]}"
    mac = hmac.new(key.public_bytes, signing_input.encode(), sha256).digest()
    return f"{signing_input}.{b64url(mac)}"


def with_its_own_key(club: Club) -> str:
    thief = SigningKey(kid=club.issuer.keys[-1].kid)
    return club.token(ALICE, key=thief, header={"jwk": thief.jwk()})


def signed_by_somebody_else(club: Club) -> str:
    return club.token(ALICE, key=SigningKey(kid=club.issuer.keys[-1].kid))


def with_another_payload(club: Club) -> str:
    head, payload, signature = parts(club.token(ALICE))
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return f"{head}.{segment({**claims, 'sub': 'auther-user-1'})}.{signature}"


def respelt_signature(club: Club) -> str:
    # 64 bytes are 86 characters; the last one has four bits that carry nothing.
    token = club.token(ALICE)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) + 1]


def stray_character(club: Club) -> str:
    head, payload, signature = parts(club.token(ALICE))
    return f"{head}.{payload}.{signature[:5]}!{signature[5:]}"


def padded(club: Club) -> str:
    head, payload, signature = parts(club.token(ALICE))
    return f"{head}.{payload}.{signature}=="


def deep(club: Club) -> str:
    _, payload, signature = parts(club.token(ALICE))
    return f"{b64url(b'[' * 3000)}.{payload}.{signature}"


REFUSED: dict[str, tuple[Make, str]] = {
    "alg none": (unsigned, "algorithm"),
    "alg none, signed": (with_header(alg="none"), "algorithm"),
    "alg as a list": (with_header(alg=["EdDSA"]), "algorithm"),
    "HS256 with the public key": (hs256_with_the_public_key, "algorithm"),
    "its own key": (with_its_own_key, "malformed"),
    "jku": (with_header(jku="https://evil.example/jwks"), "malformed"),
    "x5u": (with_header(x5u="https://evil.example/x"), "malformed"),
    "crit": (with_header(crit=["exp"]), "malformed"),
    "no kid": (with_header(kid=None), "malformed"),
    "kid as a number": (with_header(kid=7), "malformed"),
    "another signer": (signed_by_somebody_else, "signature"),
    "another payload": (with_another_payload, "signature"),
    "a respelt signature": (respelt_signature, "malformed"),
    "a stray character": (stray_character, "malformed"),
    "padding": (padded, "malformed"),
    "a header 3,000 levels deep": (deep, "malformed"),
    "another audience": (with_claims(aud="other"), "audience"),
    "other audiences": (with_claims(aud=["other", "others"]), "audience"),
    "an audience that only begins like ours": (with_claims(aud="test-client-2"), "audience"),
    "no audience": (with_claims(aud=None), "audience"),
    "expired": (with_claims(exp=int(time.time()) - 120), "expired"),
    "no exp": (with_claims(exp=None), "missing_claim"),
    "exp as text": (with_claims(exp="4102444800"), "missing_claim"),
    "exp as true": (with_claims(exp=True), "missing_claim"),
    "exp in milliseconds": (with_claims(exp=int(time.time() * 1000) + 10**7), "missing_claim"),
    "exp beyond all numbers": (with_claims(exp=10**400), "missing_claim"),
    "no sub": (lambda c: c.issuer.make_token(None), "missing_claim"),  # type: ignore[arg-type]
    "an empty sub": (lambda c: c.issuer.make_token(""), "missing_claim"),
    "sub as a number": (lambda c: c.issuer.make_token(2), "missing_claim"),  # type: ignore[arg-type]
    "sub with a NUL": (lambda c: c.issuer.make_token("a\0b"), "missing_claim"),
    "not yet valid": (with_claims(nbf=int(time.time()) + 86_400), "not_yet_valid"),
    "issued in the future, in ms": (
        with_claims(iat=int(time.time() * 1000) + 86_400_000),
        "not_yet_valid",
    ),
    "issued in the future, in s": (with_claims(iat=int(time.time()) + 86_400), "not_yet_valid"),
    "iat as text": (with_claims(iat="now"), "missing_claim"),
    "more than 8 KiB": (with_claims(padding="x" * 7000), "too_large"),
}

ACCEPTED: dict[str, Make] = {
    "as Auther makes them": with_claims(),
    "iat in seconds": with_claims(iat=int(time.time())),
    "no iat": with_claims(iat=None),
    "a list of audiences with ours in it": with_claims(aud=["other", "test-client"]),
    "expired within the leeway": with_claims(exp=int(time.time()) + 0),
    "a header field nobody knows": with_header(typ="JWT", foo="bar"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_token_is_refused_for_its_reason(club: Club, name: str) -> None:
    make, reason = REFUSED[name]
    before = club.requests_counted()

    answer = club.get(bearer=make(club))

    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_token"})
    assert club.requests_counted() - before == {("auther", "refused", reason): 1}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_good_token_is_accepted(club: Club, name: str) -> None:
    token = club.token(ALICE, exp=int(time.time()) - 5) if "leeway" in name else None
    answer = club.get(bearer=token or ACCEPTED[name](club))

    assert answer.json() == {
        "user": str(ALICE),
        "credential": "header",
        "auther_id": sub_of(ALICE),
    }


def test_a_sub_that_looks_like_a_users_number_is_nobody(club: Club) -> None:
    for sub in (str(ALICE), f"{ALICE}abc", f"auther-user-{ALICE}abc"):
        answer = club.get(bearer=club.issuer.make_token(sub))
        assert (answer.status_code, answer.json()["error"]) == (409, "identity_unlinked")


def test_an_identity_with_a_key_that_only_begins_with_a_number_is_no_user(club: Club) -> None:
    club.sql(
        "INSERT INTO migrator_identity (source, user_pk, auther_id) VALUES ('User', '2abc', 'x')"
    )

    assert club.get(bearer=club.issuer.make_token("x")).status_code == 503
    club.sql("DELETE FROM migrator_identity WHERE auther_id = 'x'")


def test_an_identity_of_another_model_is_nobody_here(club: Club) -> None:
    club.sql(
        "INSERT INTO migrator_identity (source, user_pk, auther_id) VALUES ('Admin', '2', 'y')"
    )

    assert club.get(bearer=club.issuer.make_token("y")).status_code == 409
    club.sql("DELETE FROM migrator_identity WHERE auther_id = 'y'")
