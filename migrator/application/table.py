"""Reads an application whose framework is described by a table of names."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import singledispatchmethod
from typing import TYPE_CHECKING

from migrator.application.files import SourceFiles
from migrator.application.framework import Framework, Rule, Seen
from migrator.application.interface import ApplicationFindings, Place, Sign
from migrator.application.packages import packages
from migrator.application.pieces import Assignment, Call, Field, Lookup, Text
from migrator.application.places import READS_HEADER, Places

if TYPE_CHECKING:
    from pathlib import Path

_PERSON = re.compile(r"user|account|member|uid|auth|login", re.IGNORECASE)
_HEADERS = re.compile(r"(?:headers?|META|\$_SERVER)\)?$", re.IGNORECASE)
_AUTHORIZATION = re.compile(r"(?:HTTP_)?Authorization", re.IGNORECASE)
_READERS = frozenset({"get", "Get", "header", "get_header", "getHeader"})
_WRITERS = frozenset({"put", "Put", "set", "Set", "push", "setdefault"})
_SHOWN_VALUE = 120


@dataclass(frozen=True)
class TableReader:
    """Reads applications of one framework."""

    framework: Framework

    def recognises(self, root: Path) -> bool:
        """Tell whether a folder holds an application of this framework."""
        frame = self.framework
        if not all((root / mark).is_file() for mark in frame.marks):
            return False
        return not frame.asks_for or bool(
            packages(root, only=frame.manifests).versions.keys() & set(frame.asks_for)
        )

    def read(self, root: Path, *, users_table: str) -> ApplicationFindings:
        """Read all of an application's own code."""
        frame = self.framework
        views = frame.templates[0] if frame.templates else ()
        files = SourceFiles(
            root, {f".{end.rpartition('.')[2]}" for end in (*frame.endings, *views, ".sql")}
        )
        asked = packages(root)
        notes = _Notes(frame, Places(users_table))
        count = 0
        for path, code in files:
            count += 1
            notes.read_file(path, code)
        for sign, names in ((Sign.FOREIGN_BEARERS, frame.bearers), (Sign.HTTP_BASIC, frame.basic)):
            for name in names:
                if name in asked.versions:
                    notes.places.add(sign, Place(asked.said_by[name], 0, name))
        shown = (*frame.packages, *frame.bearers, *frame.basic)
        return ApplicationFindings(
            framework=frame.name,
            root=str(root),
            files=count,
            versions={name: asked.versions[name] for name in shown if name in asked.versions},
            models={},
            scopes=(),
            session_store=frame.store(
                Seen(asked.versions, notes.settings, notes.options, notes.given)
            ),
            settings=notes.settings,
            secrets_set=tuple(sorted(notes.secrets)),
            ignores_columns=(),
            signs=notes.places.by_sign(),
            unread={**files.unread, **asked.unread},
        )


class _Notes:
    """What was seen so far."""

    def __init__(self, framework: Framework, places: Places) -> None:
        self.framework = framework
        self.places = places
        self.settings: dict[str, str] = {}
        self.secrets: set[str] = set()
        self.options: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self.given: set[str] = set()
        self._rules: defaultdict[str, list[Rule]] = defaultdict(list)
        for rule in framework.rules:
            for method in rule.methods:
                self._rules[method].append(rule)

    def read_file(self, path: str, code: bytes) -> None:
        self.places.path = path
        views, link = self.framework.templates or ((), None)
        if path.endswith(".sql"):
            self.places.sql(code.decode(errors="replace"), 1)
        elif link is not None and path.endswith(views):
            self.places.links(code, link)
        elif path.endswith(self.framework.endings):
            for piece in self.framework.pieces(code):
                self._note(piece)

    @singledispatchmethod
    def _note(self, piece: object) -> None:
        raise TypeError(type(piece))

    @_note.register
    def _(self, call: Call) -> None:
        self.options[call.method] |= call.options
        self.given |= set(call.constants)
        for rule in self._rules.get(call.method, ()):
            if rule.means(call):
                self.places.here(rule.sign, call.line, call.method)
        if call.method in self.framework.columns:
            self.places.here(Sign.LEGACY_COLUMNS, call.line, call.method)
        if call.method in _READERS and any(map(_AUTHORIZATION.fullmatch, call.words)):
            self.places.here(Sign.FOREIGN_BEARERS, call.line, READS_HEADER)
        if call.method in _WRITERS and self.framework.session.search(call.receiver):
            for key in filter(_PERSON.search, call.words[:1]):
                self.places.here(self.framework.session_key, call.line, f"session[{key}]")

    @_note.register
    def _(self, found: Assignment) -> None:
        self._setting(found)
        signs_in = self.framework.session_key is Sign.SIGNS_IN
        if (
            signs_in
            and self.framework.session.search(found.receiver)
            and _PERSON.search(found.name)
        ):
            self.places.here(Sign.SIGNS_IN, found.line, f"session[{found.name}]")

    def _setting(self, found: Assignment) -> None:
        if self.framework.settings_in not in {"", self.places.path}:
            return
        if found.name in self.framework.settings:
            self.settings[found.name] = " ".join(found.value.split())[:_SHOWN_VALUE]
        if found.name in self.framework.secrets and found.value.strip("\"'` ") not in {
            "",
            "None",
            "null",
        }:
            self.secrets.add(found.name)

    @_note.register
    def _(self, found: Lookup) -> None:
        own = self.framework.session_key is Sign.OWN_SESSION_KEY
        if own and self.framework.session.search(found.object) and _PERSON.search(found.key):
            self.places.here(Sign.OWN_SESSION_KEY, found.line, f"session[{found.key}]")
        self._header(found.object, found.key, found.line)

    @_note.register
    def _(self, found: Field) -> None:
        self._header(found.object, found.name, found.line)
        if found.name in self.framework.columns:
            self.places.here(Sign.LEGACY_COLUMNS, found.line, found.name)
        if self.framework.person is not None:
            objects, names = self.framework.person
            if found.name in names and objects.search(found.object):
                self.places.here(Sign.LEGACY_COLUMNS, found.line, found.name)
        for sign, pattern in self.framework.members.items():
            if pattern.search(f"{found.object}.{found.name}"):
                self.places.here(sign, found.line, found.name)

    @_note.register
    def _(self, found: Text) -> None:
        for sign, pattern in self.framework.texts.items():
            seen = pattern.search(found.text)
            if seen:
                self.places.here(sign, found.line, seen[0])
        if not found.is_name:
            self.places.sql(found.text, found.line)
            for name in re.findall(r"\w+", found.text):
                if name in self.framework.columns:
                    self.places.here(Sign.LEGACY_COLUMNS, found.line, name)

    def _header(self, holder: str, name: str, line: int) -> None:
        if _HEADERS.search(holder) and _AUTHORIZATION.fullmatch(name):
            self.places.here(Sign.FOREIGN_BEARERS, line, READS_HEADER)
