"""Two servers for all tests of the client: one trusts it without a row, the other asks for consent."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.auther.live.doctor.site import ROW_ONLY
from tests.auther.plugin.door import ENVIRONMENT
from tests.auther.plugin.users import Users
from tests.parts import require
from tests.parts.better_auth import BetterAuth, Client, start

CALLBACK = ROW_ONLY.redirect_uris[0]
# Known from Auther's configuration alone, as an operator begins with it.
NO_ROW = Client("shop", (CALLBACK,), row=False)
TABLES = (
    *("oauth_access_token", "oauth_consent", "oauth_application"),
    *("session", "account", "verification", "user"),
)


@dataclass(frozen=True)
class Server:
    """A better-auth with the plugin and all its secrets, and its database file."""

    auther: BetterAuth
    users: Users
    api: str

    def clear(self) -> None:
        """Take all rows out, as they were before anybody came."""
        for table in TABLES:
            self.users.run(f'DELETE FROM "{table}"')


def serve(path: Path, client: Client, *, newest: bool = False) -> Iterator[Server]:
    """Run a server for some tests."""
    require("newest" if newest else "node")
    env = {**ENVIRONMENT, "PLUGIN_DATABASE": "1"}
    with start(path, env=env, clients=(client,), newest=newest) as auther:
        yield Server(auther, Users(path), f"{auther.base_url}/api/auth")


@pytest.fixture(scope="session")
def trusting_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """It has the client in its configuration."""
    yield from serve(tmp_path_factory.mktemp("trusting") / "auther.db", NO_ROW)


@pytest.fixture(scope="session")
def asking_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """It knows nothing of the client."""
    unknown = Client("another", (CALLBACK,), trusted=False, row=False)
    yield from serve(tmp_path_factory.mktemp("asking") / "auther.db", unknown)


@pytest.fixture
def trusting(trusting_server: Server) -> Server:
    """The server that trusts the client, without rows."""
    trusting_server.clear()
    return trusting_server


@pytest.fixture
def asking(asking_server: Server) -> Server:
    """The server that does not know the client, without rows."""
    asking_server.clear()
    return asking_server
