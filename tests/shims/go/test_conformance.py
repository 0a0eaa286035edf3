"""The conformance suite against the Go application."""

import pytest

from tests.parts.go import CALLBACK_PATH, prepare
from tests.shims.conforming import Whole

pytestmark = pytest.mark.xdist_group("conformance-go")
PROFILE = """
whoami = "/me"
foreign_whoami = "/api/notes"
[verify.form]
path = "/login"
remember_me = "remember"
remember_cookie = "remember_club_token"
session_cookie = "_club_session"
csrf = { pattern = 'name="csrf" value="([^"]+)"', field = "csrf" }
[verify.logout]
path = "/logout"
csrf = { page = "/notes", pattern = 'name="csrf" value="([^"]+)"', field = "csrf" }
[verify.post]
path = "/notes"
accepted = [201]
csrf = { pattern = 'name="csrf" value="([^"]+)"', field = "csrf" }
[verify.json_login]
path = "/api/login"
body = { email = "{email}", password = "{password}" }
[verify.button]
page = "/login"
auther = "/auth/auther/start"
cohort = "staff"
cohort_page = "/login?cohort=staff"
"""


class TestGo(Whole):
    part = "go"
    profile = PROFILE
    callback_path = CALLBACK_PATH
    prepare = staticmethod(prepare)
