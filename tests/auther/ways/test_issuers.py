"""Issuers of accounts, as better-auth 1.7.0 to 1.7.2 write them."""

from __future__ import annotations

import pytest

from migrator.auther.ways.issuers import issuer
from migrator.core.errors import RefusedError


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        ("credential", "local:credential"),
        ("google", "https://accounts.google.com"),
        ("apple", "https://appleid.apple.com"),
        ("github", "local:oauth:github"),
        # What JavaScript's encodeURIComponent gives for the name.
        ("my idp/é!", "local:oauth:my%20idp%2F%C3%A9!"),
    ],
)
def test_each_provider_has_the_issuer_that_better_auth_looks_for(
    provider: str, expected: str
) -> None:
    assert issuer(provider, {}) == expected


def test_an_issuer_that_depends_on_a_tenant_has_to_be_named() -> None:
    with pytest.raises(RefusedError, match="depends on the tenant") as caught:
        issuer("microsoft", {})
    assert "account_issuers" in caught.value.hint
    assert issuer("microsoft", {"microsoft": "https://login/x"}) == "https://login/x"
