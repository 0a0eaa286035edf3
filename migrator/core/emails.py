"""E-mail addresses as both systems see them.

Devise looks a user up by `lower(strip(input))` with Ruby's full Unicode `downcase` and a `strip`
that takes ASCII white space and NUL only; Auther's sign-in lower-cases and then refuses an address
whose local part is not ASCII or whose host has no dot (zod's e-mail pattern).
"""

from __future__ import annotations

import re

_RUBY_STRIP = "\0\t\n\v\f\r "
# The pattern of zod 4's z.email(), which better-auth 1.3 applies on sign-in.
_ZOD_EMAIL = re.compile(
    r"(?!\.)(?!.*\.\.)([A-Za-z0-9_'+\-.]*)[A-Za-z0-9_+-]@"
    r"([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}"
)


def normalise(email: str) -> str:
    """Give the address under which Devise looks it up and Auther stores it."""
    # Letter by letter: Ruby knows no final sigma, Python does.
    return "".join(letter.lower() for letter in email.strip(_RUBY_STRIP))


def auther_accepts(email: str) -> bool:
    """Tell whether Auther's sign-in form would take this normalised address."""
    return _ZOD_EMAIL.fullmatch(email) is not None
