"""Rails with Devise: doors, modules, sessions, bearers of others, and what reads the legacy columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import singledispatchmethod
from typing import TYPE_CHECKING

from migrator.application.files import SourceFiles
from migrator.application.framework import either
from migrator.application.interface import ApplicationFindings, Place, SessionStore, Sign
from migrator.application.packages import gems as locked
from migrator.application.pieces import Assignment, Call, Lookup, Text
from migrator.application.places import READS_HEADER, Places
from migrator.application.ruby import pieces

if TYPE_CHECKING:
    from pathlib import Path

_METHODS = {
    Sign.SIGNS_IN: {"sign_in", "sign_in_and_redirect", "set_user", "sign_in_and_remember"},
    Sign.BYPASSES_HOOKS: {"bypass_sign_in"},
    Sign.CHECKS_PASSWORD: {"valid_password?", "update_with_password", "destroy_with_password"},
    Sign.HOOKS: {
        "after_set_user",
        "prepend_after_set_user",
        "after_authentication",
        "after_fetch",
        "before_logout",
        "before_failure",
        "on_request",
        "serialize_into_session",
        "serialize_from_session",
    },
    Sign.FOREIGN_BEARERS: {
        "authenticate_with_http_token",
        "authenticate_or_request_with_http_token",
        "doorkeeper_authorize!",
        "use_doorkeeper",
        "acts_as_token_authenticatable",
        "acts_as_token_authentication_handler_for",
        "has_secure_token",
    },
    Sign.HTTP_BASIC: {
        "authenticate_with_http_basic",
        "authenticate_or_request_with_http_basic",
        "http_basic_authenticate_with",
    },
}
_SIGN_OF = {method: sign for sign, methods in _METHODS.items() for method in methods}
_BEARER_MODULES = {"jwt_authenticatable", "token_authenticatable"}
_BEARER_GEMS = (
    "doorkeeper",
    "devise-jwt",
    "warden-jwt_auth",
    "devise_token_auth",
    "simple_token_authentication",
    "tiddle",
    "api_guard",
    "knock",
)
_GEMS = (
    "rails",
    "devise",
    "warden",
    "devise-two-factor",
    "devise-encryptable",
    "devise_invitable",
    "omniauth",
    "activerecord-session_store",
    "redis-session-store",
    "redis-rails",
    "jwt",
    "rbnacl",
    *_BEARER_GEMS,
)
_STORES = {
    "cookie_store": "cookie",
    "active_record_store": "activerecord",
    "redis_store": "redis",
    "redis_session_store": "redis",
    "cache_store": "cache",
    "mem_cache_store": "cache",
}
_SETTINGS = frozenset(
    {
        "allow_unconfirmed_access_for",
        "case_insensitive_keys",
        "confirm_within",
        "encryptor",
        "expire_all_remember_me_on_sign_out",
        "extend_remember_period",
        "http_authenticatable",
        "maximum_attempts",
        "navigational_formats",
        "paranoid",
        "parent_controller",
        "reconfirmable",
        "remember_for",
        "reset_password_within",
        "scoped_views",
        "sign_in_after_reset_password",
        "sign_out_via",
        "skip_session_storage",
        "stretches",
        "strip_whitespace_keys",
        "timeout_in",
        "unlock_in",
        "unlock_strategy",
    }
)
_SECRETS = frozenset({"pepper", "secret_key"})
_COLUMNS = frozenset(
    {
        "encrypted_password",
        "reset_password_token",
        "reset_password_sent_at",
        "remember_created_at",
        "sign_in_count",
        "current_sign_in_at",
        "last_sign_in_at",
        "current_sign_in_ip",
        "last_sign_in_ip",
        "confirmation_token",
        "confirmation_sent_at",
        "unconfirmed_email",
        "failed_attempts",
        "unlock_token",
        "encrypted_otp_secret",
        "otp_secret",
        "otp_required_for_login",
        "consumed_timestep",
        "password_salt",
    }
)
_COLUMN = re.compile(rf"\b(?:{'|'.join(sorted(_COLUMNS))})\b")
_LOGIN_LINK = re.compile(rb"\b(?:new_)?\w+_session_(?:path|url)\b")
_RUBY = (".rb", ".rake", ".ru")
_VIEWS = (".erb", ".haml", ".slim")


@dataclass(frozen=True)
class RailsReader:
    """Reads `app`, `lib`, `config` and whatever else the team keeps beside them."""

    def recognises(self, root: Path) -> bool:
        """Tell whether there is `config/application.rb` and a Gemfile."""
        return (root / "config" / "application.rb").is_file() and (root / "Gemfile").is_file()

    def read(self, root: Path, *, users_table: str) -> ApplicationFindings:
        """Read all of an application's own code; a lock file that is missing gives no versions."""
        files = SourceFiles(root, (*_RUBY, *_VIEWS, ".sql"))
        notes = _Notes(Places(users_table))
        count = 0
        for path, code in files:
            count += 1
            notes.read_file(path, code)
        lock = root / "Gemfile.lock"
        gems = locked(lock.read_text(errors="replace")) if lock.is_file() else {}
        for gem in _BEARER_GEMS:
            if gem in gems:
                notes.places.add(Sign.FOREIGN_BEARERS, Place("Gemfile.lock", 0, gem))
        return ApplicationFindings(
            framework="rails",
            root=str(root),
            files=count,
            versions={name: gems[name] for name in _GEMS if name in gems},
            models={model: tuple(modules) for model, modules in notes.models.items()},
            scopes=tuple(dict.fromkeys(notes.scopes)),
            session_store=notes.store,
            settings=notes.settings,
            secrets_set=tuple(sorted(notes.secrets)),
            ignores_columns=tuple(sorted(notes.ignoring)),
            signs=notes.places.by_sign(),
            unread=files.unread,
        )


@dataclass
class _Notes:
    places: Places
    models: dict[str, list[str]] = field(default_factory=dict)
    scopes: list[str] = field(default_factory=list)
    store: SessionStore = field(default_factory=SessionStore)
    settings: dict[str, str] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    ignoring: set[str] = field(default_factory=set)
    ignored_lines: set[tuple[str, int]] = field(default_factory=set)

    @property
    def path(self) -> str:
        return self.places.path

    def read_file(self, path: str, code: bytes) -> None:
        self.places.path = path
        if path.endswith(_VIEWS):
            self.places.links(code, _LOGIN_LINK)
        elif path.endswith(".sql"):
            self.places.sql(code.decode(errors="replace"), 1)
        else:
            for piece in pieces(code):
                self._note(piece)

    @singledispatchmethod
    def _note(self, piece: object) -> None:
        raise TypeError(type(piece))

    @_note.register
    def _(self, call: Call) -> None:
        sign = _SIGN_OF.get(call.method)
        if sign is not None:
            self.places.here(sign, call.line, call.method)
        if call.method == "current_password":
            self.places.here(Sign.CHECKS_PASSWORD, call.line, call.method)
        self._columns(call.method, call.line)
        if call.method == "add" and call.receiver.endswith("Strategies"):
            self.places.here(Sign.STRATEGIES, call.line, " ".join(call.words) or call.receiver)
        if call.method == "default_strategies":
            self.places.here(Sign.STRATEGIES, call.line, call.method)
        self._devise(call)

    def _devise(self, call: Call) -> None:
        if call.method == "devise" and call.inside and not call.receiver:
            self.models.setdefault(call.inside, []).extend(call.words)
            self.settings |= {k: v for k, v in call.options.items() if k in _SETTINGS}
            if _BEARER_MODULES & set(call.words):
                self.places.here(Sign.FOREIGN_BEARERS, call.line, "devise :jwt_authenticatable")
        elif call.method == "devise_for":
            self.scopes.extend(call.words)
        elif call.method == "session_store" and (call.words or call.constants):
            self._session_store(call)

    def _session_store(self, call: Call) -> None:
        name = (*call.words, *call.constants)[0]
        kinds = [kind for kind in (self.store.kind, _STORES.get(name, name)) if kind]
        expires = call.options.get("expire_after", call.options.get("ttl", self.store.expires))
        self.store = SessionStore(either(kinds), expires)

    @_note.register
    def _(self, found: Assignment) -> None:
        if found.name == "ignored_columns":
            self.ignoring.add(found.inside or self.path)
            last = found.line + found.value.count("\n")
            self.ignored_lines |= {(self.path, line) for line in range(found.line, last + 1)}
        if self.path.startswith("config/") and found.receiver == "config":
            if found.name in _SETTINGS:
                self.settings[found.name] = " ".join(found.value.split())
            if found.name in _SECRETS and found.value not in {"nil", '""', "''"}:
                self.secrets.add(found.name)

    @_note.register
    def _(self, found: Lookup) -> None:
        if found.object == "session" and re.search(r"user|warden|account", found.key):
            self.places.here(Sign.OWN_SESSION_KEY, found.line, f"session[{found.key}]")
        if found.object.endswith("headers") and found.key.lower() == "authorization":
            self.places.here(Sign.FOREIGN_BEARERS, found.line, READS_HEADER)

    @_note.register
    def _(self, found: Text) -> None:
        self._columns(found.text, found.line)
        if found.is_name and found.text == "current_password":
            self.places.here(Sign.CHECKS_PASSWORD, found.line, found.text)
        elif not found.is_name:
            self.places.sql(found.text, found.line)

    def _columns(self, text: str, line: int) -> None:
        # Devise's own settings have such names too.
        if self.path.startswith("config/"):
            return
        for found in _COLUMN.finditer(text):
            here = line + text.count("\n", 0, found.start())
            if (self.path, here) not in self.ignored_lines:
                self.places.here(Sign.LEGACY_COLUMNS, here, found[0])
