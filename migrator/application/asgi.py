"""Starlette and FastAPI: applications that sign in by what they write into the session."""

from __future__ import annotations

import re
from functools import partial

from migrator.application.framework import Framework, Rule, Seen, names, session_store
from migrator.application.interface import SessionStore, Sign
from migrator.application.languages import PYTHON
from migrator.application.packages import PYTHON as PYTHON_PACKAGES
from migrator.application.syntax import pieces
from migrator.application.table import TableReader

_HASHERS = re.compile(r"(?:pwd|passw|crypt|hasher|argon2|\bph\b)", re.IGNORECASE)


def _store(seen: Seen) -> SessionStore:
    calls = ("add_middleware", "Middleware", "SessionMiddleware")
    ages = [seen.options[call]["max_age"] for call in calls if "max_age" in seen.options[call]]
    kinds = ("cookie",) if "SessionMiddleware" in seen.given else ()
    return session_store(kinds, ages[-1] if ages else "")


ASGI = TableReader(
    Framework(
        name="asgi",
        endings=(".py",),
        pieces=partial(pieces, grammar=PYTHON),
        asks_for=("fastapi", "starlette"),
        manifests=PYTHON_PACKAGES,
        rules=(
            Rule(Sign.SIGNS_IN, names("login_user", "remember")),
            Rule(
                Sign.CHECKS_PASSWORD,
                names("verify", "verify_password", "verify_and_update"),
                on=_HASHERS,
            ),
            Rule(
                Sign.CHECKS_PASSWORD,
                names("verify_password", "checkpw", "check_password_hash", "check_password"),
            ),
            Rule(
                Sign.FOREIGN_BEARERS,
                names(
                    "OAuth2PasswordBearer",
                    "HTTPBearer",
                    "APIKeyHeader",
                    "APIKeyQuery",
                    "BearerTransport",
                ),
            ),
            Rule(Sign.HTTP_BASIC, names("HTTPBasic")),
            Rule(
                Sign.STRATEGIES,
                names("add_middleware", "Middleware"),
                given=re.compile(r"^AuthenticationMiddleware$"),
            ),
        ),
        session=re.compile(r"(?:^|\.)session$"),
        session_key=Sign.SIGNS_IN,
        person=(
            re.compile(r"user$", re.IGNORECASE),
            names("password", "hashed_password", "password_hash"),
        ),
        templates=(
            (".html", ".jinja", ".jinja2"),
            re.compile(rb"""url_for\(\s*["']\w*login\w*["']"""),
        ),
        packages=(
            "fastapi",
            "starlette",
            "starsessions",
            "itsdangerous",
            "passlib",
            "argon2-cffi",
            "bcrypt",
        ),
        bearers=("fastapi-users", "authlib", "python-jose", "pyjwt", "fastapi-jwt-auth"),
        store=_store,
    )
)
