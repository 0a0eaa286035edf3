"""Django: django.contrib.auth and what is often used beside it."""

from __future__ import annotations

import re
from functools import partial

from migrator.application.framework import Framework, Rule, Seen, any_of, names, session_store
from migrator.application.interface import SessionStore, Sign
from migrator.application.languages import PYTHON
from migrator.application.syntax import pieces
from migrator.application.table import TableReader

_AUTH = re.compile(r"^(?:|auth|contrib\.auth|django\.contrib\.auth)$")
_SIGNALS = names("user_logged_in", "user_logged_out", "user_login_failed")
_ENGINES = {
    "db": "django",
    "cached_db": "django",
    "signed_cookies": "cookie",
    "cache": "cache",
    "file": "file",
}
_TWO_WEEKS = "1209600"


def _store(seen: Seen) -> SessionStore:
    engine = seen.settings.get("SESSION_ENGINE", "db").strip("\"'").rpartition(".")[2]
    age = seen.settings.get("SESSION_COOKIE_AGE", _TWO_WEEKS)
    return session_store((_ENGINES.get(engine, engine),), age)


DJANGO = TableReader(
    Framework(
        name="django",
        endings=(".py",),
        pieces=partial(pieces, grammar=PYTHON),
        marks=("manage.py",),
        rules=(
            Rule(Sign.SIGNS_IN, names("login", "alogin", "perform_login"), on=_AUTH),
            Rule(
                Sign.BYPASSES_HOOKS, names("update_session_auth_hash", "aupdate_session_auth_hash")
            ),
            Rule(Sign.CHECKS_PASSWORD, names("check_password", "acheck_password")),
            Rule(Sign.CHECKS_PASSWORD, names("authenticate", "aauthenticate"), on=_AUTH),
            Rule(Sign.HOOKS, names("connect"), on=any_of(*_SIGNALS)),
            Rule(
                Sign.HOOKS,
                names("receiver"),
                given=re.compile(rf"^(?:{'|'.join(sorted(_SIGNALS))})$"),
            ),
        ),
        texts={
            Sign.FOREIGN_BEARERS: re.compile(
                r"^rest_framework\.authtoken\b|TokenAuthentication$|JWTAuthentication$"
            ),
            Sign.HTTP_BASIC: re.compile(r"\bBasicAuthentication$"),
        },
        members={Sign.STRATEGIES: re.compile(r"^settings\.AUTHENTICATION_BACKENDS$")},
        session=re.compile(r"(?:^|\.)session$"),
        session_key=Sign.OWN_SESSION_KEY,
        columns=names("last_login"),
        person=(re.compile(r"user$|^self$", re.IGNORECASE), names("password")),
        templates=((".html", ".txt"), re.compile(rb"""\{%\s*url\s+["'][\w:-]*login["']""")),
        settings=names(
            "AUTHENTICATION_BACKENDS",
            "AUTH_USER_MODEL",
            "LOGIN_URL",
            "PASSWORD_HASHERS",
            "PASSWORD_RESET_TIMEOUT",
            "SESSION_COOKIE_AGE",
            "SESSION_ENGINE",
            "SESSION_EXPIRE_AT_BROWSER_CLOSE",
            "SESSION_SAVE_EVERY_REQUEST",
        ),
        secrets=names("SECRET_KEY"),
        packages=(
            "django",
            "djangorestframework",
            "django-allauth",
            "django-axes",
            "django-otp",
            "django-redis",
        ),
        bearers=(
            "djangorestframework-simplejwt",
            "django-oauth-toolkit",
            "django-rest-knox",
            "djangorestframework-api-key",
            "drf-jwt",
            "dj-rest-auth",
        ),
        store=_store,
    )
)
