"""Go: net/http with gorilla/sessions, scs or what else is written into a session."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from migrator.application.interface import SessionStore, Sign
from migrator.application.languages import GO as GRAMMAR
from migrator.application.syntax import pieces
from migrator.application.table import Framework, Notes, Rule, TableReader, names, seconds

if TYPE_CHECKING:
    from pathlib import Path

_SCS = "github.com/alexedwards/scs/v2"
_PACKAGE_OF_STORE = {
    "github.com/boj/redistore": "redis",
    "github.com/rbcervilla/redisstore/v9": "redis",
    "github.com/alexedwards/scs/redisstore": "redis",
    "github.com/antonlindstrom/pgstore": "sql",
    "github.com/alexedwards/scs/postgresstore": "sql",
    "github.com/alexedwards/scs/pgxstore": "sql",
}


def _recognises(root: Path) -> bool:
    return (root / "go.mod").is_file()


def _store(notes: Notes) -> SessionStore:
    kinds = [kind for package, kind in _PACKAGE_OF_STORE.items() if package in notes.versions]
    if "NewCookieStore" in notes.calls:
        kinds.append("cookie")
    age = notes.settings.get("MaxAge", "")
    return SessionStore(" or ".join(dict.fromkeys(kinds)), f"{age} s" if age else "", seconds(age))


GO = TableReader(
    Framework(
        name="go",
        endings=(".go",),
        pieces=partial(pieces, grammar=GRAMMAR),
        recognises=_recognises,
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
        packages=("github.com/gorilla/sessions", _SCS, "golang.org/x/crypto", *_PACKAGE_OF_STORE),
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
