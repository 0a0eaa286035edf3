"""One server with the plugin for all tests of this folder; each test brings its own users."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.auther.plugin.door import ENVIRONMENT, Door
from tests.auther.plugin.users import Users
from tests.parts import require
from tests.parts.better_auth import BetterAuth, start

PEPPERS = {"2019": "old-pepper", "2024-b": "c0ffee5ca1ab1e0d" * 8, "x": "third", "y": "fourth"}


@pytest.fixture(scope="session")
def auther_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database file of the server."""
    return tmp_path_factory.mktemp("auther") / "auther.db"


@pytest.fixture(scope="session")
def auther(auther_file: Path) -> Iterator[BetterAuth]:
    """A real better-auth with the plugin, all its secrets and four peppers."""
    require("node")
    with start(auther_file, peppers=PEPPERS, env=ENVIRONMENT) as running:
        yield running


@pytest.fixture
def users(auther: BetterAuth, auther_file: Path) -> Users:
    """The users of `auther`."""
    return Users(auther_file)


@pytest.fixture
def door(auther: BetterAuth) -> Door:
    """The endpoints of `auther`."""
    return Door(auther)
