"""The conformance suite against the Laravel application."""

import pytest

from tests.parts.laravel import CALLBACK_PATH, prepare
from tests.shims.conforming import Core

pytestmark = pytest.mark.xdist_group("laravel")
CSRF = """{ pattern = 'name="_token" value="([^"]+)"', field = "_token" }"""
REMEMBER = "remember_web_59ba36addc2b2f9401580f014c7f58ea4e30989d"
PROFILE = f"""
whoami = "/whoami"
stage_every = "0.1s"
foreign_whoami = "/api/v1/whoami"
[verify.form]
path = "/login"
csrf = {CSRF}
remember_me = "remember"
remember_cookie = "{REMEMBER}"
session_cookie = "laravel_session"
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


class TestLaravel(Core):
    part = "laravel_shim"
    profile = PROFILE
    callback_path = CALLBACK_PATH
    prepare = staticmethod(prepare)
