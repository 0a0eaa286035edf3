"""Laravel: guards, the session, and the packages that take tokens of their own."""

from __future__ import annotations

import re
from functools import partial

from migrator.application.framework import Framework, Rule, Seen, names, session_store
from migrator.application.interface import SessionStore, Sign
from migrator.application.languages import PHP
from migrator.application.syntax import pieces
from migrator.application.table import TableReader

_GUARD = re.compile(r"auth|guard", re.IGNORECASE)
_ENV_DEFAULT = re.compile(r"^env\([^,()]+,\s*(?P<default>[^()]+?)\s*\)$")
_DRIVERS = {
    "database": "laravel",
    "memcached": "cache",
    "dynamodb": "cache",
    "apc": "cache",
    "file": "file",
}


def _default(value: str) -> str:
    """Give what holds where the environment does not say."""
    found = _ENV_DEFAULT.match(value)
    return (found["default"] if found else value).removeprefix("(int)").strip().strip("\"'")


def _store(seen: Seen) -> SessionStore:
    driver = _default(seen.settings.get("driver", "")) or "file"
    minutes = _default(seen.settings.get("lifetime", "120"))
    return session_store((_DRIVERS.get(driver, driver),), minutes, unit="min", unit_s=60)


LARAVEL = TableReader(
    Framework(
        name="laravel",
        endings=(".php",),
        pieces=partial(pieces, grammar=PHP),
        marks=("artisan",),
        rules=(
            Rule(
                Sign.SIGNS_IN,
                names("login", "loginUsingId", "attempt", "attemptWhen", "once", "onceUsingId"),
                on=_GUARD,
            ),
            Rule(Sign.BYPASSES_HOOKS, names("setUser"), on=_GUARD),
            Rule(
                Sign.CHECKS_PASSWORD,
                names("check"),
                on=re.compile(r"^\\?Hash$|hasher", re.IGNORECASE),
            ),
            Rule(Sign.CHECKS_PASSWORD, names("validate"), on=_GUARD),
            Rule(
                Sign.CHECKS_PASSWORD,
                names("password_verify", "validateCredentials", "logoutOtherDevices"),
            ),
            Rule(Sign.STRATEGIES, names("viaRequest", "extend", "provider"), on=_GUARD),
            Rule(Sign.FOREIGN_BEARERS, names("bearerToken", "createToken", "actingAs")),
            Rule(Sign.HTTP_BASIC, names("basic", "onceBasic"), on=_GUARD),
        ),
        texts={
            Sign.HOOKS: re.compile(
                r"^Illuminate\\Auth\\Events\\(?:Login|Authenticated|Attempting|Validated|Logout|Failed)$"
            ),
            Sign.FOREIGN_BEARERS: re.compile(r"^auth:(?:sanctum|api)\b"),
            Sign.HTTP_BASIC: re.compile(r"^auth\.basic\b"),
            Sign.CHECKS_PASSWORD: re.compile(r"^(?:current_password\b.*|password\.confirm)$"),
        },
        session=re.compile(r"(?:^|[\\>:$])session(?:\(\))?$|^\$_SESSION$", re.IGNORECASE),
        session_key=Sign.OWN_SESSION_KEY,
        columns=names(
            "remember_token",
            "two_factor_secret",
            "two_factor_recovery_codes",
            "two_factor_confirmed_at",
        ),
        person=(re.compile(r"user(?:\(\))?$", re.IGNORECASE), names("password")),
        templates=((".blade.php",), re.compile(rb"""route\(\s*["'](?:\w+\.)*login["']""")),
        settings=names("driver", "lifetime", "expire_on_close"),
        settings_in="config/session.php",
        packages=(
            "laravel/framework",
            "laravel/fortify",
            "laravel/breeze",
            "laravel/jetstream",
            "laravel/ui",
            "laravel/socialite",
            "spatie/laravel-permission",
        ),
        bearers=(
            "laravel/sanctum",
            "laravel/passport",
            "tymon/jwt-auth",
            "php-open-source-saver/jwt-auth",
        ),
        store=_store,
    )
)
