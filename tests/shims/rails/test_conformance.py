"""The conformance suite against the Rails application."""

from pathlib import Path

import pytest

from tests.parts.rails import CALLBACK_PATH, RailsApp, prepare
from tests.shims.conformance import ENVIRONMENT, Deployment, known_gaps
from tests.shims.conforming import Whole
from tests.shims.rails.club import BOB, oracle

pytestmark = pytest.mark.xdist_group("conformance-rails")
PROFILE = """
whoami = "/whoami"
stage_every = "0.1s"
foreign_whoami = "/api/whoami"
[verify.form]
path = "/users/sign_in"
email = "user[email]"
password = "user[password]"
remember_me = "user[remember_me]"
remember_cookie = "remember_user_token"
session_cookie = "_club_session"
[verify.form.csrf]
[verify.logout]
path = "/users/sign_out"
page = "/members"
method = "DELETE"
[verify.logout.csrf]
[verify.json_login]
path = "/users/sign_in"
body = { user = { email = "{email}", password = "{password}" } }
[verify.json_login.csrf]
page = "/users/sign_in"
[verify.post]
path = "/notes"
page = "/members"
accepted = [201]
fields = { text = "hello" }
[verify.post.csrf]
pattern = 'name="csrf-token" content="([^"]+)"'
[verify.button]
page = "/users/sign_in"
auther = "Sign in with Auther"
cohort = "staff"
cohort_page = "/users/sign_in?cohort=staff"
"""


class TestRails(Whole):
    part = "rails"
    profile = PROFILE
    callback_path = CALLBACK_PATH
    gaps = known_gaps(Path(__file__).with_name("gaps.txt"))

    @classmethod
    def app(cls, dsn: str, deployment: Deployment) -> RailsApp:
        """Make the application, whose settings come once port and key are known."""
        return prepare(
            dsn,
            lambda port, key: deployment.settings(
                stage_public_key=key, redirect_uri=f"http://127.0.0.1:{port}{CALLBACK_PATH}"
            ),
            pepper=oracle()[BOB]["pepper"],
            extra=ENVIRONMENT,
        )
