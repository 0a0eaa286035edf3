"""The conformance suite against the Express application."""

import pytest

from tests.parts.express import CALLBACK_PATH, prepare
from tests.shims.conforming import Whole

pytestmark = pytest.mark.xdist_group("conformance-express")
CSRF = """{ pattern = 'name="csrf" type="hidden" value="([^"]+)"', field = "csrf" }"""
PROFILE = f"""
whoami = "/whoami"
stage_every = "0.1s"
foreign_whoami = "/api/v1/whoami"
[verify.form]
path = "/login"
csrf = {CSRF}
remember_me = "remember_me"
remember_cookie = "remember_me"
session_cookie = "club.sid"
[verify.logout]
path = "/logout"
page = "/login"
csrf = {CSRF}
[verify.json_login]
path = "/api/login"
body = {{ email = "{{email}}", password = "{{password}}" }}
[verify.post]
path = "/notes"
page = "/login"
csrf = {CSRF}
accepted = [201]
[verify.button]
page = "/login"
auther = "Sign in at Auther"
cohort = "staff"
cohort_page = "/login?cohort=staff"
"""


class TestExpress(Whole):
    part = "express"
    profile = PROFILE
    callback_path = CALLBACK_PATH
    prepare = staticmethod(prepare)
