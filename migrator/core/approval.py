"""Approvals: what is asked for, who signed it, and whether that suffices.

A request is one text; a signature is over exactly that text. Whoever approves needs a key and the text,
no state; whoever uses it needs the keys of the configuration and a clock.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from migrator.core.clock import parse_iso
from migrator.core.ed25519 import is_signed, sign

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

GOOD_FOR = timedelta(hours=1)
NEEDED = 2
# Clocks of two machines differ; more than this is a clock that was set back.
CLOCK_MARGIN = timedelta(minutes=1)
_CONTEXT = "migrator approval v1\n"


@dataclass(frozen=True)
class Matter:
    """What somebody wants to do.

    Attributes:
        purpose: E.g. `gate override drain-quiet`, `remove apply 09_purge_tables`.
        name: What a second confirmation types, e.g. the gate's name.
        words: What is approved, for the person who signs; a line each.
        bound_to: Hashes by what they are of: spec, plan, evidence, target. Another value of any of them
            is another matter.
    """

    purpose: str
    name: str
    words: tuple[str, ...]
    bound_to: Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """A matter that was put before the approvers.

    Attributes:
        asked_by: User and machine.
        asked_at: ISO 8601 UTC.
        nonce: 32 hex digits, never used before.
    """

    migration: str
    matter: Matter
    reason: str
    asked_by: str
    asked_at: str
    expires_at: str
    nonce: str

    def to_text(self) -> str:
        """Give the text that is signed."""
        return json.dumps({"version": 1, **asdict(self)}, sort_keys=True, indent=1) + "\n"


@dataclass(frozen=True)
class Signature:
    """One approver's signature, in a file of its own beside the request."""

    name: str
    signature: str

    def to_text(self) -> str:
        """Give the file's text."""
        return json.dumps({"version": 1, **asdict(self)}, indent=1) + "\n"


@dataclass(frozen=True)
class Judgement:
    """Who approved, and why that does not suffice.

    Attributes:
        approvers: Names whose signatures count.
        faults: Empty when it is approved.
    """

    approvers: tuple[str, ...]
    faults: tuple[str, ...]


def hash_of(text: str) -> str:
    """Identify a request; 64 hex digits."""
    return sha256(text.encode()).hexdigest()


def read_request(text: str) -> Request:
    """Read what `to_text` gave.

    Raises:
        ValueError: It is no request of version 1.
    """
    data = _version_1(text)
    try:
        matter = data.pop("matter")
        words = tuple(str(word) for word in matter.pop("words"))
        request = Request(**data, matter=Matter(**matter, words=words))
        dict(request.matter.bound_to)
        parse_iso(request.asked_at)
        parse_iso(request.expires_at)
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise ValueError("not a request for an approval") from error
    return request


def read_signature(text: str) -> Signature:
    """Read what a signature's `to_text` gave.

    Raises:
        ValueError: It is no signature of version 1.
    """
    try:
        return Signature(**_version_1(text))
    except TypeError as error:
        raise ValueError("not a signature of an approval") from error


def sign_request(text: str, *, name: str, private_key: str) -> Signature:
    """Sign a request.

    Args:
        text: The whole file.
        name: The approver's, as in migrator.toml.
        private_key: Ed25519, base64url of the 32 raw bytes, or PEM.

    Raises:
        ValueError: The key is neither.
    """
    return Signature(name, sign(_CONTEXT + text, private_key))


def judge(
    text: str, signatures: Sequence[Signature], approvers: Mapping[str, str], *, now: datetime
) -> Judgement:
    """Say whether a request is approved: by two of the approvers with two keys, in time.

    Args:
        text: The request as it is now.
        signatures: Those found beside it.
        approvers: Public keys by name, as the configuration has them now.
        now: The time of use.

    Raises:
        ValueError: The text is no request.
    """
    late = _untimely(read_request(text), now)
    faults: list[str] = []
    by_key: dict[str, str] = {}
    for signature in signatures:
        if (fault := _fault(text, signature, approvers)) is not None:
            faults.append(fault)
        else:
            by_key.setdefault(approvers[signature.name], signature.name)
    names = tuple(sorted(by_key.values()))
    if len(names) >= NEEDED:
        # A forged signature beside two good ones takes nothing from these.
        return Judgement(names, late)
    said = f" ({', '.join(names)})" if names else ""
    return Judgement(names, (*late, *faults, f"{len(names)} of {NEEDED} approvals{said}"))


def _untimely(request: Request, now: datetime) -> tuple[str, ...]:
    asked, expires = parse_iso(request.asked_at), parse_iso(request.expires_at)
    if now < asked - CLOCK_MARGIN:
        return (
            f"it was asked for at {request.asked_at}, which is still to come: check the clock",
        )
    if now > min(expires, asked + GOOD_FOR):
        return (f"it expired at {request.expires_at}",)
    return ()


def _fault(text: str, signature: Signature, approvers: Mapping[str, str]) -> str | None:
    key = approvers.get(signature.name)
    if key is None:
        return f"{signature.name} is no approver"
    try:
        good = is_signed(_CONTEXT + text, signature.signature, key)
    except ValueError:
        good = False
    if good:
        return None
    return f"{signature.name}'s signature is not by the configured key over this request"


def _version_1(text: str) -> dict[str, Any]:
    data = json.loads(text)
    if not isinstance(data, dict) or data.pop("version", None) != 1:
        raise ValueError("not of version 1")
    return data
