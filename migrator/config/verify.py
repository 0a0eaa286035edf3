"""`[verify]`: what the conformance suite must know about the application that it drives."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from migrator.config.durations import Duration
from migrator.config.section import Section


def _with_one_group(pattern: str) -> str:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    if groups != 1:
        raise ValueError("a regular expression with one group, around the token")
    return pattern


Pattern = Annotated[str, AfterValidator(_with_one_group)]
FIELD_OF_RAILS = r'name="authenticity_token" value="([^"]+)"'


class CsrfSection(Section):
    """How the application's CSRF token is found and sent back.

    Attributes:
        page: Where the token stands; empty: the page of the form itself.
        pattern: A regular expression with one group.
        field: The form field that it is sent in; empty: no field.
        header: The request header that it is sent in; empty: no header.
    """

    page: str = ""
    pattern: Pattern = FIELD_OF_RAILS
    field: str = "authenticity_token"
    header: str = ""


class FormSection(Section):
    """A form of the application: where it is, what it is sent to, how it answers.

    Attributes:
        path: What the form is sent to.
        page: Where it stands; empty: the same path.
        method: Of the request that sends it.
        fields: Further fields, as they are.
        csrf: How its CSRF token travels; without it the form has none.
        accepted: Statuses that say that it was taken.
    """

    path: str
    page: str = ""
    method: str = "POST"
    fields: dict[str, str] = Field(default_factory=dict)
    csrf: CsrfSection | None = None
    accepted: tuple[int, ...] = (302, 303)


class LoginFormSection(FormSection):
    """The legacy login form.

    Attributes:
        email: The name of the field of the address.
        password: The name of the field of the password.
        remember_me: The field that asks for a remember-me cookie; empty: the form has none.
        remember_cookie: That cookie's name.
        session_cookie: The session cookie's name; the suite removes it to leave remember-me alone.
    """

    email: str = "email"
    password: str = "password"  # noqa: S105 (the field's name)
    remember_me: str = ""
    remember_cookie: str = ""
    session_cookie: str = ""


class JsonLoginSection(Section):
    """A door that takes and answers JSON, as old mobile applications use.

    Attributes:
        body: The body, with {email} and {password} in its texts.
        csrf: How its CSRF token travels, if it has one; `field` then is a key of the body.
        accepted: Statuses that say that somebody is signed in.
    """

    path: str
    body: dict[str, str | dict[str, str]]
    csrf: CsrfSection | None = None
    accepted: tuple[int, ...] = (200, 201)


class ButtonSection(Section):
    """The login page's button that follows stage and bucket.

    Attributes:
        page: The page.
        auther: A text that the page has when the login leads to Auther, and only then.
        cohort: A group that the switch may move first; empty: the page knows none.
        cohort_page: The page as somebody of that group sees it.
    """

    page: str
    auther: str
    cohort: str = ""
    cohort_page: str = ""


class VerifySection(Section):
    """The application as the suite sees it. What is left out makes cases `not run`, by name.

    Attributes:
        whoami: Answers a GET with `{"user": "<primary key>"}`, or null for nobody.
        login_paths: Where an anonymous visitor may be sent to sign in, beside the shim's own path.
        people: A CSV file (0600) of canaries: name, user_pk, email, password.
        jwks_cooldown: What MIGRATOR_JWKS_COOLDOWN_S is in that deployment.
        stage_every: How often it looks at the stage document.
        workers: Processes behind the URL; each has a key set of its own.
        counted_within: How long after an answer its counters may lag behind.
        post: A POST that CSRF protection guards and that answers `{"by": "<primary key>"}`.
        foreign_whoami: Like `whoami`, below a path of `[shim] foreign_paths`.
        exchange: The deployment has MIGRATOR_EXCHANGE_SECRET.
        moved_logins: It has MIGRATOR_VERIFY_SECRET: moved users are verified at Auther.
        ends_auther_session: It has MIGRATOR_LOGOUT_SECRET.
    """

    whoami: str = ""
    login_paths: tuple[str, ...] = ()
    people: Path = Path("verify-people.csv")
    jwks_cooldown: Duration = timedelta(seconds=30)
    stage_every: Duration = timedelta(seconds=2)
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    counted_within: Duration = timedelta(0)
    form: LoginFormSection | None = None
    logout: FormSection | None = None
    json_login: JsonLoginSection | None = None
    post: FormSection | None = None
    button: ButtonSection | None = None
    foreign_whoami: str = ""
    exchange: bool = False
    moved_logins: bool = False
    ends_auther_session: bool = False
