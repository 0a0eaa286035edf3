"""Express and Hono: Passport's doors, or what is written into the session."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from migrator.application.interface import SessionStore, Sign
from migrator.application.languages import TYPESCRIPT
from migrator.application.syntax import pieces
from migrator.application.table import (
    Framework,
    Notes,
    Rule,
    TableReader,
    any_of,
    has_package,
    names,
    seconds,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PACKAGE_OF_STORE = {
    "connect-redis": "redis",
    "connect-pg-simple": "sql",
    "connect-session-sequelize": "sql",
    "express-mysql-session": "sql",
    "connect-mongo": "mongo",
    "cookie-session": "cookie",
    "hono-sessions": "cookie",
}
_MAX_AGE = re.compile(r"\bmaxAge\s*:\s*(?P<value>[^,}\n]+)")


def _recognises(package: str) -> Callable[[Path], bool]:
    return lambda root: (root / "package.json").is_file() and has_package(root, (package,))


def _store(notes: Notes) -> SessionStore:
    kinds = [kind for package, kind in _PACKAGE_OF_STORE.items() if package in notes.versions]
    age = _MAX_AGE.search(notes.calls["session"].get("cookie", ""))
    value = age["value"].strip() if age else ""
    ttl = seconds(value, unit_s=0.001)
    return SessionStore(" or ".join(dict.fromkeys(kinds)), f"{value} ms" if value else "", ttl)


def _reader(name: str) -> TableReader:
    return TableReader(
        Framework(
            name=name,
            endings=(".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".jsx", ".tsx"),
            pieces=partial(pieces, grammar=TYPESCRIPT),
            recognises=_recognises(name),
            rules=(
                Rule(
                    Sign.SIGNS_IN,
                    names("login", "logIn"),
                    on=any_of("req", "request", "ctx", "context"),
                ),
                Rule(Sign.SIGNS_IN, names("authenticate"), on=any_of("passport")),
                Rule(
                    Sign.CHECKS_PASSWORD,
                    names("compare", "compareSync"),
                    on=re.compile(r"crypt", re.IGNORECASE),
                ),
                Rule(
                    Sign.CHECKS_PASSWORD,
                    names("verify"),
                    on=re.compile(r"argon|passw|scrypt", re.IGNORECASE),
                ),
                Rule(
                    Sign.CHECKS_PASSWORD,
                    names("comparePassword", "verifyPassword", "checkPassword"),
                ),
                Rule(Sign.STRATEGIES, names("use"), on=any_of("passport")),
                Rule(Sign.HOOKS, names("serializeUser", "deserializeUser"), on=any_of("passport")),
                Rule(
                    Sign.FOREIGN_BEARERS,
                    names("bearerAuth", "expressjwt", "BearerStrategy", "JwtStrategy"),
                ),
                Rule(Sign.HTTP_BASIC, names("basicAuth", "BasicStrategy")),
            ),
            session=re.compile(r"(?:^|\.)session$|^session$"),
            session_key=Sign.SIGNS_IN,
            person=(
                re.compile(r"user$", re.IGNORECASE),
                names("password", "passwordHash", "password_hash"),
            ),
            templates=(
                (".ejs", ".hbs", ".pug"),
                re.compile(rb"""(?:href|action)=["'](/[\w/-]*(?:login|sign-?in))["']"""),
            ),
            packages=(
                name,
                "express-session",
                "passport",
                "passport-local",
                "bcrypt",
                "bcryptjs",
                "argon2",
                *_PACKAGE_OF_STORE,
            ),
            bearers=(
                "jsonwebtoken",
                "jose",
                "express-jwt",
                "express-oauth2-jwt-bearer",
                "passport-jwt",
                "passport-http-bearer",
                "oauth2-server",
            ),
            basic=("express-basic-auth", "passport-http"),
            store=_store,
        )
    )


EXPRESS, HONO = _reader("express"), _reader("hono")
