"""Names the form of a stored password value without saying the value."""

from __future__ import annotations

import re

from migrator.schemes.bcrypt import MAX_COST

_BCRYPT = re.compile(r"(\$2[abxy]?\$)(\d\d)\$")
_BCRYPT_LENGTH = 60
_DOTS = "." * 31
_COSTS = re.compile(r"\$(m=\d+,t=\d+,p=\d+)\$|(?:sha\d+|scrypt)[$:](\d[\d:]*)\$|\$(rounds=\d+)\$")
_FORMS = (
    (re.compile(r"migrator:v1:.*", re.DOTALL), "a migrator envelope"),
    (re.compile(r"\$argon2(id|i|d)\$.*"), "argon2"),
    (re.compile(r"\$s2\$.*|\$scrypt\$.*"), "scrypt"),
    (re.compile(r"\$pbkdf2[-_a-z0-9]*\$.*|pbkdf2_sha\d+\$.*"), "pbkdf2"),
    (re.compile(r"pbkdf2:.*"), "Werkzeug pbkdf2"),
    (re.compile(r"scrypt:.*"), "Werkzeug scrypt"),
    (re.compile(r"\$wp\$.*"), "WordPress bcrypt"),
    (re.compile(r"\$[PH]\$.*|U?\$S\$.*"), "phpass"),
    (re.compile(r"bcrypt(_sha256)?\$.*"), "Django bcrypt"),
    (re.compile(r"\$([156y]|apr1)\$.*"), "crypt"),
    (re.compile(r"\{[A-Za-z0-9-]+\}.*"), "LDAP scheme"),
    (re.compile(r"[0-9a-fA-F]{32}:[0-9a-fA-F]{128}"), "better-auth scrypt"),
)
_HEX = re.compile(r"[0-9a-fA-F]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_SHORT = 16


def cost_label(scheme: str, value: str) -> str:
    """Name a claimed value by scheme, prefix and cost, e.g. `bcrypt $2a$ cost 12`."""
    match = _BCRYPT.match(value)
    if match:
        return f"{scheme} {match[1]} cost {int(match[2])}"
    costs = _COSTS.search(value)
    return f"{scheme} {costs[costs.lastindex or 0]}" if costs else scheme


def shape(value: str) -> str:
    """Name a value that no scheme claims, e.g. `hex40`, `bcrypt, 29 characters long`."""
    bare = value.strip()
    if bare != value:
        return f"{shape(bare)} between white space" if bare else "white space only"
    if _BCRYPT.match(value):
        return _spoilt_bcrypt(value)
    for pattern, name in _FORMS:
        if pattern.fullmatch(value):
            return name
    return f"hex{len(value)}" if _HEX.fullmatch(value) else _unknown(value)


def _spoilt_bcrypt(value: str) -> str:
    if value.endswith(_DOTS):
        return "bcrypt, checksum overwritten with dots"
    if len(value) != _BCRYPT_LENGTH:
        return f"bcrypt, {len(value)} characters long"
    match = _BCRYPT.match(value)
    cost = int(match[2]) if match else 0
    return f"bcrypt, cost {cost}" if cost > MAX_COST else "bcrypt, malformed"


def _unknown(value: str) -> str:
    if len(value) < _SHORT:
        # So short a value may be a password in clear: not even its length is told.
        return "short text"
    kind = "base64" if _BASE64.fullmatch(value) else "text"
    return f"{kind}, {len(value)} characters long"
