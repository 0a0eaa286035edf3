"""Which deliveries are believed."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.auther.webhook.delivery import (
    ID,
    SIGNATURE,
    TIMESTAMP,
    Refusal,
    RefusedDeliveryError,
    Trust,
    read,
    sign,
)

NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
TRUST = Trust("whsec_" + "5" * 32, "timestamp.body", timedelta(hours=1))
BODY_ONLY = Trust(TRUST.secret, "body", TRUST.window)
EVENT_ID = "evt_" + "0123456789abcdef" * 2

Parts = tuple[dict[str, str], bytes]


def made(trust: Trust = TRUST, *, at_ms: int = NOW_MS, **changed: Any) -> Parts:
    told = {
        "id": EVENT_ID,
        "origin": "auther",
        "type": "user.updated",
        "timestamp": at_ms,
        "data": {},
    }
    body = json.dumps({**told, **changed}).encode()
    return {ID: EVENT_ID, TIMESTAMP: str(at_ms), SIGNATURE: sign(body, str(at_ms), trust)}, body


def refusal(headers: dict[str, str], body: bytes, trust: Trust = TRUST) -> Refusal:
    with pytest.raises(RefusedDeliveryError) as caught:
        read(headers, body, trust, now=NOW)
    return caught.value.why


def test_the_signature_is_as_auther_makes_it() -> None:
    # printf '1764298800000.{"a":1}' | openssl dgst -sha256 -hmac whsec_abc
    trust = Trust("whsec_abc", "timestamp.body", timedelta(hours=1))
    assert sign(b'{"a":1}', "1764298800000", trust) == (
        "239e0e9ab71098f0c789bac9ee4cf9c68a24d299f778ac6f340618a06403ef6b"
    )
    # printf '{"a":1}' | openssl dgst -sha256 -hmac whsec_abc
    trust = Trust("whsec_abc", "body", timedelta(hours=1))
    assert sign(b'{"a":1}', "1764298800000", trust) == (
        "359ab2775fc376b1a8dee20a432572581b7d5b4e2c3a4e3ff657ed6713fa7eeb"
    )


@pytest.mark.parametrize("trust", [TRUST, BODY_ONLY])
def test_a_good_one_is_believed(trust: Trust) -> None:
    delivery = read(*made(trust), trust, now=NOW)
    assert (delivery.id, delivery.type, delivery.at) == (EVENT_ID, "user.updated", NOW)


def test_a_signature_over_the_other_text_is_none() -> None:
    assert refusal(*made(TRUST), BODY_ONLY) is Refusal.BAD_SIGNATURE
    assert refusal(*made(BODY_ONLY), TRUST) is Refusal.BAD_SIGNATURE


@given(st.data(), st.sampled_from(["timestamp.body", "body"]))
def test_no_changed_byte_is_believed(
    data: st.DataObject, signed: Literal["timestamp.body", "body"]
) -> None:
    trust = Trust(TRUST.secret, signed, TRUST.window)
    headers, body = made(trust)
    at = data.draw(st.integers(0, len(body) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != body[at]))
    changed = body[:at] + bytes([other]) + body[at + 1 :]
    assert refusal(headers, changed, trust) is Refusal.BAD_SIGNATURE


@given(st.text(max_size=80))
def test_no_other_signature_is_believed(signature: str) -> None:
    headers, body = made()
    if signature.lower() != headers[SIGNATURE]:
        assert refusal({**headers, SIGNATURE: signature}, body) in {
            Refusal.BAD_SIGNATURE,
            Refusal.NO_SIGNATURE,
        }


@pytest.mark.parametrize("trust", [TRUST, BODY_ONLY])
@pytest.mark.parametrize(
    ("ago", "is_good"),
    [
        (timedelta(minutes=59), True),
        (timedelta(minutes=61), False),
        (-timedelta(seconds=59), True),
        (-timedelta(seconds=61), False),
    ],
)
def test_only_events_within_the_window(trust: Trust, ago: timedelta, is_good: bool) -> None:
    parts = made(trust, at_ms=int((NOW - ago).timestamp() * 1000))
    if is_good:
        assert read(*parts, trust, now=NOW).at == NOW - ago
    else:
        assert refusal(*parts, trust) is Refusal.OUT_OF_TIME


def test_the_time_above_a_body_that_alone_is_signed_proves_nothing() -> None:
    headers, body = made(BODY_ONLY, at_ms=NOW_MS - 7_200_000)
    assert refusal({**headers, TIMESTAMP: str(NOW_MS)}, body, BODY_ONLY) is Refusal.OUT_OF_TIME


def test_an_id_above_a_body_must_be_the_bodys() -> None:
    headers, body = made(BODY_ONLY)
    assert refusal({**headers, ID: "evt_" + "f" * 32}, body, BODY_ONLY) is Refusal.MALFORMED


def test_a_body_may_tell_its_time_in_words() -> None:
    parts = made(BODY_ONLY, timestamp=NOW.isoformat())
    assert read(*parts, BODY_ONLY, now=NOW).at == NOW


@pytest.mark.parametrize(
    "changed",
    [
        {"id": None},
        {"id": 7},
        {"type": None},
        {"type": ["user.updated"]},
        {"type": "a\nb"},
        {"type": ""},
    ],
)
def test_signed_nonsense_is_malformed(changed: dict[str, Any]) -> None:
    assert refusal(*made(**changed)) is Refusal.MALFORMED


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 50_000])
def test_signed_bytes_that_are_no_object_are_malformed(body: bytes) -> None:
    at = str(NOW_MS)
    headers = {ID: EVENT_ID, TIMESTAMP: at, SIGNATURE: sign(body, at, TRUST)}
    assert refusal(headers, body) is Refusal.MALFORMED


@pytest.mark.parametrize("timestamp", ["", "soon", "-1", "9" * 15, "1" * 16, None, True, {}])
def test_a_time_that_is_none_is_malformed(timestamp: Any) -> None:
    why = refusal(*made(BODY_ONLY, timestamp=timestamp), BODY_ONLY)
    assert why in {Refusal.MALFORMED, Refusal.OUT_OF_TIME}


def test_the_secret_is_in_no_text() -> None:
    assert TRUST.secret not in repr(TRUST)
