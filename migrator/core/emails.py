"""E-mail addresses as both systems see them.

Devise looks a user up by `lower(strip(input))` with Ruby's full Unicode `downcase` and a `strip`
that takes ASCII white space and NUL only; Auther's sign-in lower-cases and then refuses an address
whose local part is not ASCII or whose host has no dot (zod's e-mail pattern).
"""

from __future__ import annotations

import re

_RUBY_STRIP = "\0\t\n\v\f\r "
# What `z.string().email()` of zod 4 takes; better-auth 1.3 asks it at sign-in.
# Nothing is tried twice (`++`): where one repetition ends, what follows cannot be part of it.
_ZOD = (
    r"[A-Za-z0-9_'+\-]++(?:\.[A-Za-z0-9_'+\-]++)*+(?<!')@"
    r"(?:[A-Za-z0-9][A-Za-z0-9\-]*+\.)++[A-Za-z]{2,}+"
)
_ZOD_EMAIL = re.compile(_ZOD)
# Addresses that are in normal form and that Auther accepts.
PLAIN_EMAIL = _ZOD.replace("A-Z", "")


def normalise(email: str) -> str:
    """Give the address under which Devise looks it up and Auther stores it."""
    stripped = email.strip(_RUBY_STRIP)
    if stripped.isascii():
        return stripped.lower()
    # Character by character, since Ruby knows no final sigma: str.lower() of a whole word does.
    return "".join(character.lower() for character in stripped)


def auther_accepts(email: str) -> bool:
    """Tell whether Auther's sign-in form would take this normalised address."""
    return _ZOD_EMAIL.fullmatch(email) is not None
