from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from migrator.core.approval import (
    Judgement,
    Matter,
    Request,
    judge,
    read_request,
    read_signature,
    sign_request,
)
from migrator.core.clock import iso
from migrator.core.ed25519 import new_private_key, public_key_of, read_public_key

AT = datetime(2026, 11, 23, 3, tzinfo=UTC)
KEYS = {name: new_private_key() for name in ("alice", "bob", "eve")}
APPROVERS = {name: public_key_of(KEYS[name]) for name in ("alice", "bob")}
REQUEST = Request(
    migration="shop",
    matter=Matter("gate override quiet", "quiet", ("quiet is FAILED",), {"spec": "ab" * 32}),
    reason="the crawler is known",
    asked_by="ann@ops",
    asked_at=iso(AT),
    expires_at=iso(AT + timedelta(hours=1)),
    nonce="0" * 32,
)
TEXT = REQUEST.to_text()


def judged(
    *names: str,
    text: str = TEXT,
    approvers: dict[str, str] = APPROVERS,
    after: timedelta = timedelta(minutes=5),
    signing: dict[str, str] = KEYS,
) -> Judgement:
    signatures = [sign_request(TEXT, name=n, private_key=signing[n]) for n in names]
    return judge(text, signatures, approvers, now=AT + after)


def test_two_approvers_suffice_and_are_named() -> None:
    assert judged("bob", "alice") == Judgement(("alice", "bob"), ())


def test_one_does_not_and_nobody_counts_twice() -> None:
    assert judged("alice").faults == ("1 of 2 approvals (alice)",)
    assert judged("alice", "alice").faults == ("1 of 2 approvals (alice)",)
    same_key = {"alice": APPROVERS["alice"], "carol": APPROVERS["alice"]}
    signing = {"alice": KEYS["alice"], "carol": KEYS["alice"]}
    assert judged("alice", "carol", approvers=same_key, signing=signing).faults


def test_somebody_else_and_somebody_removed_since_do_not_count() -> None:
    assert "eve is no approver" in judged("alice", "eve").faults
    removed = {"alice": APPROVERS["alice"], "carol": public_key_of(new_private_key())}
    assert "bob is no approver" in judged("alice", "bob", approvers=removed).faults


def test_a_key_that_was_replaced_since_does_not_count() -> None:
    replaced = APPROVERS | {"bob": public_key_of(new_private_key())}
    (fault, *_) = judged("alice", "bob", approvers=replaced).faults
    assert fault == "bob's signature is not by the configured key over this request"


def test_a_forged_signature_beside_two_good_ones_takes_nothing_from_them() -> None:
    assert judged("alice", "bob", "eve").faults == ()


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (timedelta(hours=1, seconds=1), "expired"),
        (timedelta(minutes=-2), "still to come"),
    ],
)
def test_it_counts_within_its_hour_only(after: timedelta, said: str) -> None:
    assert said in judged("alice", "bob", after=after).faults[0]
    assert judged("alice", "bob", after=timedelta(minutes=59)).faults == ()


def test_a_longer_life_than_an_hour_cannot_be_asked_for() -> None:
    text = replace(REQUEST, expires_at=iso(AT + timedelta(days=9))).to_text()
    signatures = [sign_request(text, name=n, private_key=KEYS[n]) for n in APPROVERS]
    assert judge(text, signatures, APPROVERS, now=AT + timedelta(hours=2)).faults


@given(st.integers(0, len(TEXT) - 1), st.sampled_from('0az"{} ,:\n'))
def test_no_character_can_be_changed_after_it_was_signed(position: int, character: str) -> None:
    changed = TEXT[:position] + character + TEXT[position + 1 :]
    if changed == TEXT:
        return
    try:
        found = judged("alice", "bob", text=changed)
    except ValueError:
        return
    assert found.approvers == ()
    assert found.faults


def test_what_is_written_is_read_and_anything_else_is_refused() -> None:
    assert read_request(TEXT) == REQUEST
    signature = sign_request(TEXT, name="alice", private_key=KEYS["alice"])
    assert read_signature(signature.to_text()) == signature
    for text in ("", "[]", "{}", '{"version": 1}', '{"version": 2}'):
        with pytest.raises(ValueError, match=r"request|version|Expecting"):
            read_request(text)
        with pytest.raises(ValueError, match=r"signature|version|Expecting"):
            read_signature(text)


def test_a_public_key_is_read_in_all_its_forms() -> None:
    key = Ed25519PrivateKey.generate().public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    forms = {read_public_key(text) for text in (pem, key.public_bytes_raw().hex())}
    (url,) = forms
    assert read_public_key(url.translate(str.maketrans("-_", "+/")) + "=") == url
    with pytest.raises(ValueError, match="32 bytes"):
        read_public_key("abcd")
