"""Express and Hono: Passport's doors, or what is written into the session."""

from __future__ import annotations

import re
from functools import partial

from migrator.application.framework import Framework, Rule, Seen, any_of, names, session_store
from migrator.application.interface import SessionStore, Sign
from migrator.application.languages import TYPESCRIPT
from migrator.application.packages import NODE as NODE_PACKAGES
from migrator.application.syntax import pieces
from migrator.application.table import TableReader

_KIND_OF = {
    "connect-redis": "redis",
    "connect-pg-simple": "sql",
    "connect-session-sequelize": "sql",
    "express-mysql-session": "sql",
    "connect-mongo": "mongo",
    "cookie-session": "cookie",
    "hono-sessions": "cookie",
}
_MAX_AGE = re.compile(r"\bmaxAge\s*:\s*(?P<value>[^,}\n]+)")


def _store(seen: Seen) -> SessionStore:
    age = _MAX_AGE.search(seen.options["session"].get("cookie", ""))
    value = age["value"].strip() if age else ""
    return session_store(seen.kinds(_KIND_OF), value, unit="ms", unit_s=0.001)


def _reader(name: str) -> TableReader:
    return TableReader(
        Framework(
            name=name,
            endings=(".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".jsx", ".tsx"),
            pieces=partial(pieces, grammar=TYPESCRIPT),
            marks=("package.json",),
            asks_for=(name,),
            manifests=NODE_PACKAGES,
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
                *_KIND_OF,
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
