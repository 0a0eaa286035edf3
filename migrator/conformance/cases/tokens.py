"""What a token has to be: each bad one in the header, beside bob's session that must not be used."""

from __future__ import annotations

import base64
import hmac
import json
import time
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from migrator.conformance.bench import bearer
from migrator.conformance.case import Case, case
from migrator.conformance.interface import Need
from migrator.conformance.signing_keys import SigningKey, b64url

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.conformance.bench import Bench

    Make = Callable[[Bench], str]

GROUP = "tokens"
NEEDS = frozenset({Need.TEST_ISSUER, Need.FORM})
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_HOUR_S = 3600


def _now_s() -> int:
    return int(time.time())


def _segment(value: object) -> str:
    return b64url(json.dumps(value).encode())


def _with(header: dict[str, Any] | None = None, **claims: Any) -> Make:
    return lambda bench: bench.token("alice", header=header, **claims)


def _later(name: str, seconds: int, *, times: int = 1) -> Make:
    return lambda bench: bench.token("alice", **{name: (_now_s() + seconds) * times})


def _parts(bench: Bench) -> list[str]:
    return bench.token("alice", header={}).split(".")


def _kid(bench: Bench) -> str:
    return bench.issuer.keys[-1].kid


def _unsigned(algorithm: str, signature: str = "") -> Make:
    return lambda bench: ".".join(
        (_segment({"alg": algorithm, "kid": _kid(bench)}), _parts(bench)[1], signature)
    )


def _public_key(key: SigningKey, form: str) -> bytes:
    public = key.private.public_key()
    forms = {
        "raw": key.public_bytes,
        "base64url": b64url(key.public_bytes).encode(),
        "jwk": json.dumps(key.jwk()).encode(),
        "pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    }
    return forms[form]


def _hs256(form: str) -> Make:
    def make(bench: Bench) -> str:
        key = bench.issuer.keys[-1]
        bare = f"{_segment({'alg': 'HS256', 'kid': key.kid})}.{_parts(bench)[1]}"
        mac = hmac.new(_public_key(key, form), bare.encode(), sha256).digest()
        return f"{bare}.{b64url(mac)}"

    return make


def _with_its_own_key(bench: Bench) -> str:
    thief = SigningKey(kid=_kid(bench))
    return bench.token("alice", key=thief, header={"jwk": thief.jwk()})


def _signed_by_somebody_else(bench: Bench) -> str:
    return bench.token("alice", key=SigningKey(kid=_kid(bench)))


def _with_another_payload(bench: Bench) -> str:
    head, payload, signature = _parts(bench)
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    other = _segment({**claims, "sub": bench.person("bob").auther_id})
    return f"{head}.{other}.{signature}"


def _respelt(bench: Bench) -> str:
    # 64 bytes are 86 characters; the last one has four bits that carry nothing.
    token = ".".join(_parts(bench))
    return token[:-1] + _ALPHABET[_ALPHABET.index(token[-1]) + 1]


def _changed(change: Callable[[list[str]], list[str]]) -> Make:
    return lambda bench: ".".join(change(_parts(bench)))


# (name, what is wrong, how it is made, reasons that it may be counted under)
REFUSED: tuple[tuple[str, str, Make, str], ...] = (
    ("alg-none", "says that it is not signed", _unsigned("none"), "*"),
    ("alg-none-in-capitals", "says NONE for none", _unsigned("NONE"), "*"),
    ("alg-none-signed", "says none and is signed", _with({"alg": "none"}), "algorithm"),
    ("alg-missing", "names no algorithm", _with({"alg": None}), "algorithm"),
    ("alg-as-a-list", "names a list of algorithms", _with({"alg": ["EdDSA"]}), "algorithm"),
    ("alg-in-other-case", "names eddsa", _with({"alg": "eddsa"}), "algorithm"),
    ("alg-rs256", "names RS256 for an Ed25519 key", _with({"alg": "RS256"}), "algorithm"),
    *(
        (
            f"hs256-with-the-public-key-{form}",
            "is an HMAC under the public key, which everybody knows",
            _hs256(form),
            "*",
        )
        for form in ("raw", "base64url", "jwk", "pem")
    ),
    (
        "its-own-key-in-jwk",
        "brings the key that it is signed with",
        _with_its_own_key,
        "malformed",
    ),
    ("jku", "says where its keys are", _with({"jku": "https://evil.example/jwks"}), "malformed"),
    ("x5u", "says where its certificate is", _with({"x5u": "https://evil.example"}), "malformed"),
    ("x5c", "brings a certificate", _with({"x5c": ["MIIB"]}), "malformed"),
    ("crit", "asks for an extension", _with({"crit": ["exp"]}), "malformed"),
    ("b64", "asks for an unencoded payload", _with({"b64": False}), "malformed"),
    ("kid-missing", "names no key", _with({"kid": None}), "malformed"),
    ("kid-as-a-number", "names a key by a number", _with({"kid": 7}), "malformed"),
    (
        "another-signer",
        "is signed by another key under our kid",
        _signed_by_somebody_else,
        "signature",
    ),
    (
        "another-payload",
        "carries bob's name under alice's signature",
        _with_another_payload,
        "signature",
    ),
    ("signature-empty", "has no signature", _changed(lambda p: [p[0], p[1], ""]), "*"),
    (
        "signature-of-another-length",
        "has a signature of 63 bytes",
        _changed(lambda p: [p[0], p[1], b64url(b"x" * 63)]),
        "*",
    ),
    ("signature-respelt", "spells the same signature otherwise", _respelt, "malformed"),
    (
        "signature-padded",
        "pads its signature",
        _changed(lambda p: [p[0], p[1], p[2] + "=="]),
        "malformed",
    ),
    (
        "signature-with-a-stray-character",
        "has a character outside of the alphabet",
        _changed(lambda p: [p[0], p[1], f"{p[2][:5]}!{p[2][5:]}"]),
        "malformed",
    ),
    (
        "header-padded",
        "pads its header",
        _changed(lambda p: [p[0] + "=" * (-len(p[0]) % 4 or 4), p[1], p[2]]),
        "malformed",
    ),
    (
        "header-3000-levels-deep",
        "nests its header 3,000 levels deep",
        _changed(lambda p: [b64url(b"[" * 3000), p[1], p[2]]),
        "malformed",
    ),
    ("aud-of-another-client", "is for another client", _with(aud="another-client"), "audience"),
    ("aud-list-without-ours", "is for others", _with(aud=["one", "two"]), "audience"),
    (
        "aud-that-begins-like-ours",
        "is for a client whose name begins like ours",
        lambda bench: bench.token("alice", aud=f"{bench.site.client_id}-2"),
        "audience",
    ),
    ("aud-missing", "is for nobody", _with(aud=None), "audience"),
    (
        "aud-as-an-object",
        "names its audience in an object",
        lambda bench: bench.token("alice", aud={bench.site.client_id: 1}),
        "audience",
    ),
    ("expired", "is past", _later("exp", -_HOUR_S), "expired"),
    ("exp-missing", "never ends", _with(exp=None), "missing_claim"),
    ("exp-as-text", "ends at a text", _with(exp="4102444800"), "missing_claim"),
    ("exp-as-true", "ends at true", _with(exp=True), "missing_claim"),
    (
        "exp-in-ms",
        "ends in an hour, in milliseconds: thousands of years later in seconds",
        _later("exp", _HOUR_S, times=1000),
        "missing_claim",
    ),
    ("not-yet-valid", "begins in an hour", _later("nbf", _HOUR_S), "not_yet_valid"),
    ("iat-in-the-future", "was issued in an hour", _later("iat", _HOUR_S), "not_yet_valid"),
    (
        "iat-in-the-future-in-ms",
        "was issued in an hour, in milliseconds",
        _later("iat", _HOUR_S, times=1000),
        "not_yet_valid",
    ),
    ("iat-as-text", "was issued at a text", _with(iat="yesterday"), "missing_claim"),
    ("sub-missing", "is nobody's", lambda b: b.issuer.make_token(None), "missing_claim"),
    ("sub-empty", "is of ''", lambda b: b.issuer.make_token(""), "missing_claim"),
    ("sub-as-a-number", "is of a number", lambda b: b.issuer.make_token(2), "missing_claim"),
    (
        "sub-with-a-nul",
        "has a NUL in its sub",
        lambda b: b.issuer.make_token("a\0b"),
        "missing_claim",
    ),
    (
        "sub-of-256-characters",
        "has a huge sub",
        lambda b: b.issuer.make_token("a" * 256),
        "missing_claim",
    ),
    ("larger-than-8-kib", "is huge", _with(padding="x" * 7000), "too_large"),
    ("claims-of-10-kb", "has a huge claim", _with(name="x" * 10_000), "too_large"),
)

ACCEPTED: tuple[tuple[str, str, Make], ...] = (
    ("as-auther-makes-them", "is good, with `iat` in milliseconds", lambda b: b.token("alice")),
    ("iat-in-seconds", "has `iat` in seconds", _later("iat", 0)),
    ("iat-missing", "has no `iat`", _with(iat=None)),
    (
        "aud-list-with-ours",
        "is for several clients, ours among them",
        lambda b: b.token("alice", aud=["other", b.site.client_id]),
    ),
    ("nbf-in-the-past", "began before", _later("nbf", -5)),
    ("expired-within-the-leeway", "ended five seconds ago", _later("exp", -5)),
    ("header-nobody-knows", "has header fields that mean nothing", _with({"typ": "JWT", "x": 1})),
)
_MEND = (
    "let the verifier take only what it knows: an algorithm list, `kid` from the configured JWKS, "
    "required `exp` and `sub`, canonical base64url, a size limit; and answer 401 without looking "
    "at the session"
)
_MEND_ACCEPTED = "Auther's tokens look like this (contract section 4); the verifier is too strict"


def _refused(bench: Bench, make: Make, reasons: str) -> None:
    browser = bench.browser(session="bob")
    token, before = make(bench), bench.metrics()
    answer = bench.who(browser, bearer(token))
    counted = bench.metrics().requests_since(before)
    bench.expect_refused(answer, 401, "invalid_token")
    bench.expect_counted(answer, counted, f"auther refused {reasons}")


def _accepted(bench: Bench, make: Make) -> None:
    bench.expect_user(bench.who(bench.browser(), bearer(make(bench))), "alice")


CASES = (
    *(
        Case(
            GROUP,
            name,
            f"a token that {what} is refused with 401, whatever session is beside it",
            _MEND,
            partial(_refused, make=make, reasons=reasons),
            needs=NEEDS,
            sessions=("bob",),
        )
        for name, what, make, reasons in REFUSED
    ),
    *(
        Case(
            GROUP,
            name,
            f"a token that {what} is accepted",
            _MEND_ACCEPTED,
            partial(_accepted, make=make),
            needs=frozenset({Need.TEST_ISSUER}) if name != "as-auther-makes-them" else frozenset(),
        )
        for name, what, make in ACCEPTED
    ),
)


@case(
    GROUP,
    rule="a token of 40 kB is refused, by the shim or by the server before it",
    mend="limit the size of tokens before they are looked into",
    needs=(Need.TEST_ISSUER,),
)
def far_too_large(bench: Bench) -> None:
    answer = bench.who(bench.browser(), bearer(bench.token("alice", padding="x" * 30_000)))
    answer.must(400 <= answer.status < 500, "a status of 4xx")


@case(
    GROUP,
    rule="a `sub` that looks like another user's number, address or key is nobody: 409",
    mend="look a sub up as the text it is, in migrator_identity.auther_id and nowhere else",
    needs=(Need.TEST_ISSUER,),
)
def a_sub_that_looks_like_a_user(bench: Bench) -> None:
    bob = bench.person("bob")
    subs = (bob.user_pk, f"User:{bob.user_pk}", bob.email, f"{bob.auther_id}abc")
    for sub in subs:
        answer = bench.who(bench.browser(), bearer(bench.issuer.make_token(sub, email=None)))
        bench.expect_refused(answer, 409, "identity_unlinked")


CASES = (*CASES, far_too_large, a_sub_that_looks_like_a_user)
