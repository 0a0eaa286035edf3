"""The issuers that better-auth 1.7.0 to 1.7.2 write beside accounts, by provider; 1.7.3 took them back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from migrator.auther.interface import CREDENTIAL
from migrator.core.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

CREDENTIAL_ISSUER = "local:credential"
# From the providers' own sources in better-auth 1.7.1.
_PUBLISHED = {
    "apple": "https://appleid.apple.com",
    "facebook": "https://www.facebook.com",
    "google": "https://accounts.google.com",
    "line": "https://access.line.me",
}
# These depend on a tenant or a pool, which nobody but the operator knows.
_TENANTS = frozenset({"cognito", "microsoft", "microsoft-entra-id", "paybin"})
# What JavaScript's encodeURIComponent leaves as it is, beside letters, digits and `_.-~`.
_PLAIN = "!*'()"


def issuer(provider: str, known: Mapping[str, str]) -> str:
    """Give the issuer that better-auth will look an account up by.

    Args:
        provider: `credential`, or the provider's name at Auther.
        known: `auther.account_issuers`, which come before anything else.

    Raises:
        RefusedError: The issuer depends on a tenant that the configuration does not name.
    """
    if provider == CREDENTIAL:
        return CREDENTIAL_ISSUER
    found = known.get(provider) or _PUBLISHED.get(provider)
    if found is not None:
        return found
    if provider in _TENANTS:
        raise RefusedError(
            f"the issuer of accounts at {provider} depends on the tenant, and Auther needs it",
            hint=f'set account_issuers = {{ {provider} = "https://…" }} under [auther]'
            " in migrator.toml",
        )
    return f"local:oauth:{quote(provider, safe=_PLAIN)}"
