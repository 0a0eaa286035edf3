"""All schemes of legacy hashes, by their name in envelopes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.envelope import NO_PARAMS
from migrator.schemes.bcrypt import Bcrypt
from migrator.schemes.interface import Claim

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrator.schemes.interface import Declared, Scheme

SCHEMES: dict[str, Scheme] = {scheme.name: scheme for scheme in (Bcrypt(),)}


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
