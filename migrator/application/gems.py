"""Gemfile.lock: which gems the application really runs."""

from __future__ import annotations

import re

_SPEC = re.compile(r"^ {4}(?P<name>[A-Za-z0-9_.-]+) \((?P<version>[^)]+)\)$", re.MULTILINE)


def locked(text: str) -> dict[str, str]:
    """Give each gem's version by its name."""
    return {found["name"]: found["version"] for found in _SPEC.finditer(text)}
