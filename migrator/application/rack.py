"""Plain Rack and Sinatra, with Warden or with what is written into the session."""

from __future__ import annotations

import re

from migrator.application.framework import Framework, Rule, Seen, any_of, names, session_store
from migrator.application.interface import SessionStore, Sign
from migrator.application.ruby import pieces
from migrator.application.table import TableReader

_KIND_OF = {
    "redis-rack": "redis",
    "redis-store": "redis",
    "moneta": "moneta",
    "sequel-rack-session": "sql",
}


def _store(seen: Seen) -> SessionStore:
    return session_store(
        seen.kinds(_KIND_OF) or ["cookie"], seen.options["use"].get("expire_after", "")
    )


RACK = TableReader(
    Framework(
        name="rack",
        endings=(".rb", ".ru"),
        pieces=pieces,
        marks=("config.ru",),
        rules=(
            Rule(Sign.SIGNS_IN, names("set_user"), on=re.compile(r"warden")),
            Rule(Sign.SIGNS_IN, names("authenticate", "authenticate!"), on=re.compile(r"warden")),
            Rule(
                Sign.CHECKS_PASSWORD,
                names("valid_password?", "is_password?", "authenticate_password"),
            ),
            Rule(
                Sign.HOOKS,
                names("after_set_user", "after_authentication", "before_logout"),
                on=re.compile(r"Warden|manager"),
            ),
            Rule(Sign.STRATEGIES, names("add"), on=any_of("Strategies")),
            Rule(Sign.FOREIGN_BEARERS, names("decode"), on=re.compile(r"^JWT$")),
        ),
        session=re.compile(r"(?:^|\.)session$|rack\.session"),
        session_key=Sign.SIGNS_IN,
        columns=names("password_digest", "encrypted_password"),
        templates=(
            (".erb", ".haml", ".slim"),
            re.compile(rb"""(?:href|action)=["'](/[\w/-]*(?:login|sign-?in))["']"""),
        ),
        secrets=names("session_secret"),
        packages=("sinatra", "rack", "warden", "bcrypt", *_KIND_OF),
        bearers=("jwt", "rack-oauth2", "doorkeeper"),
        store=_store,
    )
)
