"""Go: net/http with gorilla/sessions, scs or what else is written into a session."""

from __future__ import annotations

import re
from functools import partial

from migrator.application.framework import Framework, Rule, Seen, names, session_store
from migrator.application.interface import SessionStore, Sign
from migrator.application.languages import GO as GRAMMAR
from migrator.application.syntax import pieces
from migrator.application.table import TableReader

_SCS = "github.com/alexedwards/scs/v2"
_KIND_OF = {
    "github.com/boj/redistore": "redis",
    "github.com/rbcervilla/redisstore/v9": "redis",
    "github.com/alexedwards/scs/redisstore": "redis",
    "github.com/antonlindstrom/pgstore": "sql",
    "github.com/alexedwards/scs/postgresstore": "sql",
    "github.com/alexedwards/scs/pgxstore": "sql",
}


def _store(seen: Seen) -> SessionStore:
    cookie = ("cookie",) if "NewCookieStore" in seen.options else ()
    return session_store((*seen.kinds(_KIND_OF), *cookie), seen.settings.get("MaxAge", ""))


GO = TableReader(
    Framework(
        name="go",
        endings=(".go",),
        pieces=partial(pieces, grammar=GRAMMAR),
        marks=("go.mod",),
        rules=(
            Rule(Sign.CHECKS_PASSWORD, names("CompareHashAndPassword"), on=re.compile(r"bcrypt")),
            Rule(
                Sign.CHECKS_PASSWORD,
                names("ComparePasswordAndHash", "IDKey"),
                on=re.compile(r"argon2"),
            ),
            Rule(
                Sign.CHECKS_PASSWORD, names("CheckPassword", "VerifyPassword", "ComparePassword")
            ),
            Rule(Sign.HTTP_BASIC, names("BasicAuth")),
            Rule(
                Sign.FOREIGN_BEARERS,
                names("ParseWithClaims", "ParseSigned"),
                on=re.compile(r"jwt|jose"),
            ),
        ),
        session=re.compile(r"session\w*(?:\.Values)?$|\bscs\b", re.IGNORECASE),
        session_key=Sign.SIGNS_IN,
        person=(
            re.compile(r"user$|^u$", re.IGNORECASE),
            names("Password", "PasswordHash", "HashedPassword"),
        ),
        templates=(
            (".tmpl", ".gohtml", ".html"),
            re.compile(rb"""(?:href|action)=["'](/[\w/-]*(?:login|sign-?in))["']"""),
        ),
        settings=names("MaxAge", "Lifetime"),
        packages=("github.com/gorilla/sessions", _SCS, "golang.org/x/crypto", *_KIND_OF),
        bearers=(
            "github.com/golang-jwt/jwt/v5",
            "github.com/golang-jwt/jwt/v4",
            "github.com/golang-jwt/jwt",
            "github.com/go-oauth2/oauth2/v4",
            "github.com/go-chi/jwtauth/v5",
        ),
        store=_store,
    )
)
