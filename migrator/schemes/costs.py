"""What a new value has to be like: a scheme and its cost, in the words of `plugin.write_back`."""

from __future__ import annotations

import re

from migrator.schemes.registry import claimed_by

# The only one of them into which a pepper goes, as Devise has it.
PEPPERED = "bcrypt"
# The parts of a value, and what they are called. Values of other forms can be verified and not be made.
_FORMS = {
    "bcrypt": re.compile(r"\$2[aby]\$0?(?P<cost>\d+)\$.*"),
    "django_bcrypt": re.compile(r"bcrypt_sha256\$\$2[aby]\$0?(?P<cost>\d+)\$.*"),
    "django_pbkdf2": re.compile(r"pbkdf2_sha256\$(?P<iterations>\d+)\$.*"),
    "argon2": re.compile(
        r"\$(?P<kind>argon2id?)\$v=19\$m=(?P<m>\d+),t=(?P<t>\d+),p=(?P<p>\d+)\$.*"
    ),
}


def cost_of(value: str) -> str | None:
    """Say how more values like this one are made, e.g. `bcrypt:cost=12`; None where the plugin cannot.

    Args:
        value: As the import reads it.
    """
    claim = claimed_by(value)
    form = _FORMS.get(claim.scheme.name) if claim else None
    match = form.fullmatch(value) if form else None
    if claim is None or match is None:
        return None
    parts = "&".join(f"{name}={part}" for name, part in match.groupdict().items())
    return f"{claim.scheme.name}:{parts}"


def scheme_of(cost: str) -> str:
    """Give the scheme of what `cost_of` or `plugin.write_back` says."""
    return cost.partition(":")[0]
