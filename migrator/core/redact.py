"""The one place that decides how personal and secret values may be shown."""

from __future__ import annotations

import re

_DSN_PASSWORD = re.compile(r"(?P<head>[a-z0-9+]{1,32}://[^:/@\s]*:)[^@\s]+(?=@)", re.IGNORECASE)
_DSN_KEYWORD = re.compile(r"(?P<head>password\s*=\s*)('[^']*'|\S+)", re.IGNORECASE)
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")
_BCRYPT = re.compile(r"\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{0,53}")
_ENVELOPE = re.compile(r"migrator:v1:\S+")
# An address has at most 64 characters before the @; without a limit a long text takes for ever.
_ADDRESS = re.compile(r"[^\s@<>\"'(),;:]{1,64}@[^\s@<>\"'(),;:]{1,190}\.[^\s@<>\"'(),;:]{2,63}")


def mask_email(email: str | None) -> str:
    """Show enough of an address to recognise one's own: `m…1@e…e.org`."""
    if not email:
        return "(none)"
    local, at, host = email.rpartition("@")
    if not at:
        return _mask_part(email)
    name, dot, top = host.rpartition(".")
    return f"{_mask_part(local)}@{_mask_part(name)}{dot}{top}"


def _mask_part(part: str) -> str:
    return f"{part[0]}…{part[-1]}" if len(part) > len("ab") else "…"


def scrub(text: str) -> str:
    """Take DSN passwords, tokens and hashes out of a text that somebody else composed."""
    for pattern, mend in (
        (_DSN_PASSWORD, r"\g<head>***"),
        (_DSN_KEYWORD, r"\g<head>***"),
        (_TOKEN, "***"),
        (_ENVELOPE, "***"),
        (_BCRYPT, "***"),
    ):
        text = pattern.sub(mend, text)
    return text


def scrub_for_others(text: str) -> str:
    """Like `scrub`, with addresses masked: for texts that leave this machine."""
    return _ADDRESS.sub(lambda found: mask_email(found[0]), scrub(text))
