"""The conformance suite against the Django application."""

from pathlib import Path

import pytest

from tests.parts.django import CALLBACK_PATH, prepare
from tests.shims.conformance import known_gaps
from tests.shims.conforming import Core

pytestmark = pytest.mark.xdist_group("django")
CSRF = (
    """{ pattern = 'name="csrfmiddlewaretoken" value="([^"]+)"', field = "csrfmiddlewaretoken" }"""
)
PROFILE = f"""
whoami = "/whoami"
stage_every = "0.1s"
foreign_whoami = "/api/v1/whoami"
[verify.form]
path = "/login"
email = "username"
csrf = {CSRF}
session_cookie = "sessionid"
[verify.logout]
path = "/logout"
page = "/notes"
csrf = {CSRF}
[verify.json_login]
path = "/api/login"
body = {{ email = "{{email}}", password = "{{password}}" }}
[verify.post]
path = "/notes"
csrf = {CSRF}
accepted = [201]
[verify.button]
page = "/login"
auther = "Sign in at Auther"
cohort = "staff"
cohort_page = "/login?cohort=staff"
"""
GAPS = known_gaps(Path(__file__).with_name("gaps.txt"))


class TestDjango(Core):
    profile = PROFILE
    callback_path = CALLBACK_PATH
    prepare = staticmethod(prepare)
    gaps = GAPS
