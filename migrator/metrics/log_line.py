"""Reads the line of JSON that a shim writes for each decision. Pure."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from migrator.metrics.clients import LABEL, known_client
from migrator.metrics.interface import Labels

PATHS = frozenset({"legacy", "auther", "both", "foreign", "none"})
MAX_LABEL = 64
# Where collectors put the line they found: Docker, and formatters that write JSON themselves.
WRAPPERS = ("log", "message", "msg")
_OURS = (b'"event":"auth"', b'"event": "auth"')
_OURS_WRAPPED = (b'\\"event\\":\\"auth\\"', b'\\"event\\": \\"auth\\"')


class Decided(NamedTuple):
    """What a line says.

    Attributes:
        waited_s: How long the request waited for its decision; None where the shim did not measure it, or is older.
    """

    labels: Labels
    waited_s: float | None = None


class UnreadableError(Exception):
    """A line that is a shim's, but does not say what it has to."""


def decision_of(line: bytes) -> Decided | None:
    """Read a line; None when it is not a shim's. Text before the JSON, e.g. a time, is left out.

    Raises:
        UnreadableError: It is, and cannot be read.
    """
    if not any(mark in line for mark in (*_OURS, *_OURS_WRAPPED)):
        return None
    try:
        facts = _facts(line.decode())
    except (ValueError, RecursionError) as error:
        raise UnreadableError from error
    if facts is None or facts.get("event") != "auth":
        raise UnreadableError
    return Decided(_labels(facts), _waited_s(facts.get("waited_us")))


def _waited_s(said: object) -> float | None:
    if not isinstance(said, int) or isinstance(said, bool) or said < 0:
        return None
    return said / 1_000_000


def _facts(text: str) -> dict[str, Any] | None:
    begins = text.find("{")
    if begins < 0:
        return None
    found = json.loads(text[begins:])
    for key in WRAPPERS:
        inner = found.get(key)
        if "event" not in found and isinstance(inner, str):
            return _facts(inner)
    return dict(found)


def _labels(facts: dict[str, Any]) -> Labels:
    texts = [facts.get("path"), facts.get("outcome"), facts.get("stage"), facts.get("reason", "")]
    path, outcome, stage, reason = (
        text if isinstance(text, str) and len(text) <= MAX_LABEL else None for text in texts
    )
    synthetic = facts.get("synthetic", False)
    if path not in PATHS or not outcome or not stage or not isinstance(synthetic, bool):
        raise UnreadableError
    if reason is None:
        raise UnreadableError
    client = known_client(facts.get(LABEL))
    return Labels(path, outcome, stage, reason, synthetic=synthetic, client=client)
