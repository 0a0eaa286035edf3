"""The conformance suite against the Hono application."""

from functools import partial

import pytest

from tests.parts.express import CALLBACK_PATH, HONO, prepare
from tests.shims.conforming import Core
from tests.shims.express.test_conformance import PROFILE

pytestmark = pytest.mark.xdist_group("hono")


class TestHono(Core):
    part = "hono"
    profile = PROFILE
    callback_path = CALLBACK_PATH
    prepare = staticmethod(partial(prepare, stack=HONO))
