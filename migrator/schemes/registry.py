"""All schemes of legacy hashes, by their name in envelopes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.schemes.bcrypt import Bcrypt

if TYPE_CHECKING:
    from migrator.schemes.interface import Scheme

SCHEMES: dict[str, Scheme] = {scheme.name: scheme for scheme in (Bcrypt(),)}


def claimed_by(value: str) -> Scheme | None:
    """Give the scheme that knows a stored value, None when none does."""
    for scheme in SCHEMES.values():
        if scheme.claim(value):
            return scheme
    return None
