"""All schemes of legacy hashes, by their name in envelopes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.envelope import NO_PARAMS, Envelope
from migrator.schemes import bcrypt_after, pbkdf2, scrypt
from migrator.schemes.argon2 import Argon2
from migrator.schemes.aspnet import AspNet
from migrator.schemes.bcrypt import Bcrypt
from migrator.schemes.crypt import Md5Crypt, ShaCrypt
from migrator.schemes.digests import DIGESTS
from migrator.schemes.firebase import FirebaseScrypt
from migrator.schemes.interface import Claim
from migrator.schemes.ldap import Ldap
from migrator.schemes.phpass import Drupal7, Phpass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrator.schemes.interface import Declared, Scheme

_ALL: tuple[Scheme, ...] = (
    Bcrypt(),
    Argon2(),
    pbkdf2.Django(),
    pbkdf2.Werkzeug(),
    scrypt.Werkzeug(),
    AspNet(),
    bcrypt_after.Django(),
    bcrypt_after.WordPress(),
    Phpass(),
    Drupal7(),
    ShaCrypt(),
    Md5Crypt(),
    Ldap(),
    *DIGESTS.values(),
    FirebaseScrypt(),
)
SCHEMES: dict[str, Scheme] = {scheme.name: scheme for scheme in _ALL}


def claimed_by(
    value: str, salt: str | None = None, declared: Iterable[Declared] = ()
) -> Claim | None:
    """Say what a stored value is, None when nobody knows it.

    Args:
        value: The password column.
        salt: The salt column, None without one.
        declared: What the operator declared; asked after the schemes that know their own form.
    """
    for scheme in SCHEMES.values():
        if scheme.claim(value):
            return Claim(scheme, NO_PARAMS, scheme.peppered)
    for digest in declared:
        params = digest.params_for(value, salt)
        if params is not None:
            return Claim(SCHEMES[digest.scheme], params, digest.peppered)
    return None


def verify(envelope: Envelope, password: bytes, *, pepper: bytes) -> bool:
    """Check a password against an envelope with one pepper; False for an unknown scheme."""
    scheme = SCHEMES.get(envelope.scheme)
    if scheme is None:
        return False
    claim = Claim(scheme, envelope.params, scheme.peppered)
    return claim.verify(envelope.value, password, pepper=pepper)


def table() -> str:
    """Give the schemes as a Markdown table for the documentation."""
    lines = ["| name in envelopes | values | cost at most |", "|---|---|---|"]
    lines += [f"| `{s.name}` | {s.title} | {s.bound} |" for s in SCHEMES.values()]
    return "\n".join(lines) + "\n"
