"""The way to the changes at Auther, before anything travels."""

import pytest

from migrator.auther.plugin.events import EndpointFeed
from migrator.core.errors import UsageError


@pytest.mark.parametrize("api", ["http://id.example.org/api/auth", "http://10.0.0.5/api/auth"])
def test_the_secret_never_travels_unencrypted(api: str) -> None:
    with pytest.raises(UsageError, match="unencrypted") as refused:
        EndpointFeed(api, "s" * 40)
    assert "s" * 40 not in str(refused.value)


@pytest.mark.parametrize("api", ["https://id.example.org/api/auth", "http://127.0.0.1:3000/api"])
def test_what_is_encrypted_or_stays_here_may_be_asked(api: str) -> None:
    EndpointFeed(api, "s" * 40).close()
