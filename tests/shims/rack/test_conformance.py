"""The conformance suite against the Sinatra application."""

import pytest

from tests.parts.rack import CALLBACK_PATH, prepare
from tests.shims.conforming import Core
from tests.shims.express.test_conformance import PROFILE as EXPRESS

# The same pages, but for two names.
PROFILE = EXPRESS.replace("/api/v1/whoami", "/api/whoami").replace("club.sid", "club.session")
pytestmark = pytest.mark.xdist_group("rack")


class TestSinatra(Core):
    part = "rack"
    profile = PROFILE
    callback_path = CALLBACK_PATH
    prepare = staticmethod(prepare)
