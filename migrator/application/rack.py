"""Plain Rack and Sinatra, with Warden or with what is written into the session."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrator.application.interface import SessionStore, Sign
from migrator.application.ruby import pieces
from migrator.application.table import Framework, Notes, Rule, TableReader, any_of, names, seconds

if TYPE_CHECKING:
    from pathlib import Path

_STORE_OF = {
    "redis-rack": "redis",
    "redis-store": "redis",
    "moneta": "moneta",
    "sequel-rack-session": "sql",
}


def _recognises(root: Path) -> bool:
    return (root / "config.ru").is_file()


def _store(notes: Notes) -> SessionStore:
    kinds = [kind for package, kind in _STORE_OF.items() if package in notes.versions]
    age = notes.calls["use"].get("expire_after", "")
    return SessionStore(
        " or ".join(dict.fromkeys(kinds)) or "cookie", f"{age} s" if age else "", seconds(age)
    )


RACK = TableReader(
    Framework(
        name="rack",
        endings=(".rb", ".ru"),
        pieces=pieces,
        recognises=_recognises,
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
        packages=("sinatra", "rack", "warden", "bcrypt", *_STORE_OF),
        bearers=("jwt", "rack-oauth2", "doorkeeper"),
        store=_store,
    )
)
