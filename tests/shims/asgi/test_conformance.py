"""The conformance suite against the Starlette application."""

from pathlib import Path

import pytest

from tests.parts.asgi import CALLBACK_PATH, prepare
from tests.shims.conformance import known_gaps
from tests.shims.conforming import Whole

pytestmark = pytest.mark.xdist_group("conformance-asgi")
PROFILE = """
whoami = "/me"
stage_every = "0.1s"
foreign_whoami = "/api/me"
[verify.form]
path = "/login"
remember_me = "remember"
remember_cookie = "_club_remember"
session_cookie = "_club_session"
[verify.logout]
path = "/logout"
[verify.json_login]
path = "/sessions"
body = { email = "{email}", password = "{password}" }
[verify.post]
path = "/notes"
accepted = [201]
[verify.post.csrf]
pattern = 'name="csrf" value="([^"]+)"'
field = "csrf"
[verify.button]
page = "/login"
auther = "auther"
cohort = "staff"
cohort_page = "/login?cohort=staff"
"""


class TestStarlette(Whole):
    profile = PROFILE
    callback_path = CALLBACK_PATH
    prepare = staticmethod(prepare)
    gaps = known_gaps(Path(__file__).with_name("gaps.txt"))
