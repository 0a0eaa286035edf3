from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime
from hashlib import sha256

from migrator.core.events import Event
from migrator.dashboards.notification import EVENT_ID, SIGNATURE, TIMESTAMP, body, headers

AT = datetime(2026, 11, 23, 3, tzinfo=UTC)


def drawn(event: Event) -> dict[str, object]:
    found: dict[str, object] = json.loads(body(event, migration="shop", event_id="evt_1", at=AT))
    return found


def test_slack_shows_a_title_and_lines_and_programs_get_facts() -> None:
    event = Event("gate", "quiet: HELD -> PASSED", ("a & b <now>",), {"to": "PASSED"})
    found = drawn(event)
    assert found["text"] == "shop: quiet: HELD -&gt; PASSED\na &amp; b &lt;now&gt;"
    header, section, footer = found["blocks"]  # type: ignore[misc]
    assert header["text"]["text"] == "shop: quiet: HELD -> PASSED"
    assert section["text"] == {"type": "mrkdwn", "text": "a &amp; b &lt;now&gt;"}
    assert "evt_1" in footer["elements"][0]["text"]
    assert found["metadata"] == {
        "event_type": "migrator_gate",
        "event_payload": {
            "id": "evt_1",
            "at": "2026-11-23T03:00:00.000000Z",
            "migration": "shop",
            "to": "PASSED",
        },
    }


def test_what_slack_would_refuse_is_cut() -> None:
    header, section, _ = drawn(Event("stage", "t" * 500, ("l" * 9000,)))["blocks"]  # type: ignore[misc]
    assert len(header["text"]["text"]) == 150
    assert len(section["text"]["text"]) == 3000


def test_neither_addresses_nor_secrets_leave_the_machine() -> None:
    said = (
        "member1@example.org at postgresql://app:hunter2@db.example.org/x has $2a$12$" + "a" * 53
    )
    sent = body(
        Event("health", said, (said,), {"deep": [{"er": said}]}),
        migration="shop",
        event_id="evt_1",
        at=AT,
    )
    for secret in ("member1", "hunter2", "$2a$12$aaa"):
        assert secret not in sent


def test_the_signature_covers_time_id_and_body() -> None:
    made = headers("{}", event_id="evt_1", secret="s", at=AT)
    signed = f"v1.{made[TIMESTAMP]}.{made[EVENT_ID]}.{{}}"
    expected = hmac.new(b"s", signed.encode(), sha256).hexdigest()
    assert made[SIGNATURE] == f"v1={expected}"
    assert made[TIMESTAMP] == str(int(AT.timestamp()))
    assert SIGNATURE not in headers("{}", event_id="evt_1", secret=None, at=AT)
