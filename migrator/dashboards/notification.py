"""Draws an event as the body of a webhook, in the form that Slack takes, and signs it."""

from __future__ import annotations

import hmac
import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from migrator.core.clock import iso
from migrator.core.redact import scrub_for_others

if TYPE_CHECKING:
    from datetime import datetime

    from migrator.core.events import Event

EVENT_ID, TIMESTAMP, SIGNATURE = (
    "X-Migrator-Event-Id",
    "X-Migrator-Timestamp",
    "X-Migrator-Signature",
)
# Slack refuses longer ones.
_TITLE_MAX, _TEXT_MAX = 150, 3000
_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def body(event: Event, *, migration: str, event_id: str, at: datetime) -> str:
    """Give the JSON text to post; nothing in it identifies a person or opens a door."""
    title = _plain(f"{migration}: {event.title}")
    lines = [_plain(line) for line in event.lines]
    said = "\n".join(lines).translate(_MARKUP)[:_TEXT_MAX]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": title[:_TITLE_MAX]}}
    ]
    if said:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": said}})
    footer = f"{event.kind} event {event_id} of {iso(at)}"
    blocks.append({"type": "context", "elements": [{"type": "plain_text", "text": footer}]})
    facts = {"id": event_id, "at": iso(at), "migration": migration, **_redacted(event.facts)}
    metadata = {"event_type": f"migrator_{event.kind}", "event_payload": facts}
    text = "\n".join([title, *lines]).translate(_MARKUP)
    return json.dumps({"text": text, "blocks": blocks, "metadata": metadata}, default=str)


def headers(content: str, *, event_id: str, secret: str | None, at: datetime) -> dict[str, str]:
    """Give a request's headers.

    The signature is `v1=` and the hex HMAC-SHA256 over `v1.<timestamp>.<event id>.<body>`: a receiver
    refuses old timestamps and ids that it has seen.

    Args:
        content: The body.
        event_id: Stays the same at each attempt.
        secret: Shared with the receiver, None without a signature.
        at: When this attempt is made.
    """
    timestamp = str(int(at.timestamp()))
    plain = {"Content-Type": "application/json", EVENT_ID: event_id, TIMESTAMP: timestamp}
    if secret is None:
        return plain
    signed = f"v1.{timestamp}.{event_id}.{content}"
    digest = hmac.new(secret.encode(), signed.encode(), sha256).hexdigest()
    return {**plain, SIGNATURE: f"v1={digest}"}


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return scrub_for_others(value)
    if isinstance(value, dict):
        return {key: _redacted(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redacted(one) for one in value]
    return value


def _plain(text: str) -> str:
    return scrub_for_others(text).replace("\n", " ")
