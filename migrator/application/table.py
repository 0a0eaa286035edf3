"""Reads an application whose framework is described by a table of names."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from functools import singledispatchmethod
from math import prod
from typing import TYPE_CHECKING

from migrator.application.files import SourceFiles
from migrator.application.interface import ApplicationFindings, Place, SessionStore, Sign
from migrator.application.packages import packages
from migrator.application.pieces import Assignment, Call, Field, Lookup, Text
from migrator.application.sql import in_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from migrator.application.pieces import Piece

_PERSON = re.compile(r"user|account|member|uid|auth|login", re.IGNORECASE)
_HEADERS = re.compile(r"(?:headers?|META|\$_SERVER)\)?$", re.IGNORECASE)
_AUTHORIZATION = re.compile(r"(?:HTTP_)?Authorization", re.IGNORECASE)
_READS_HEADER = "reads the Authorization header"
_PRODUCT = re.compile(r"^\s*\d[\d_]*(?:\s*\*\s*\d[\d_]*)*\s*$")
_SHOWN_VALUE = 120


@dataclass(frozen=True)
class Rule:
    """A call that means something.

    Attributes:
        methods: Its names.
        on: What the receiver has to look like; None for any, with or without one.
        given: What one of the arguments has to look like.
    """

    sign: Sign
    methods: frozenset[str]
    on: re.Pattern[str] | None = None
    given: re.Pattern[str] | None = None

    def means(self, call: Call) -> bool:
        """Tell whether a call is such a one."""
        if self.on is not None and not self.on.search(call.receiver):
            return False
        arguments = (*call.words, *call.constants)
        return self.given is None or any(map(self.given.search, arguments))


@dataclass(frozen=True)
class Framework:
    """What is known of a framework and what is used with it.

    Attributes:
        endings: Of source files.
        pieces: Takes a source file apart.
        recognises: Tells whether a folder holds such an application.
        rules: Calls.
        texts: Strings and imported names, by what they mean.
        members: `object.name` by what it means; matched against both, with a full stop between.
        session: What holds a session's values.
        session_key: What a person's key in the session means: SIGNS_IN where applications sign in like
            that, OWN_SESSION_KEY where the framework has a key of its own. Only writing is SIGNS_IN.
        columns: Columns that the removal takes away and that nobody else has.
        person: Columns with ordinary names, which count on such an object only: (objects, names).
        templates: Endings of templates, and what links to the login in them.
        settings: Names of settings that are shown.
        settings_in: The only file in which they are looked for; '' for all.
        secrets: Names of settings that are named when they have a value.
        packages: Packages whose versions are shown.
        bearers: Those of them that take bearers of their own.
        basic: Those that take HTTP Basic.
        store: Says where sessions are.
    """

    name: str
    endings: tuple[str, ...]
    pieces: Callable[[bytes], Iterator[Piece]]
    recognises: Callable[[Path], bool]
    rules: tuple[Rule, ...]
    store: Callable[[Notes], SessionStore]
    session: re.Pattern[str]
    session_key: Sign
    texts: Mapping[Sign, re.Pattern[str]] = field(default_factory=dict)
    members: Mapping[Sign, re.Pattern[str]] = field(default_factory=dict)
    columns: frozenset[str] = frozenset()
    person: tuple[re.Pattern[str], frozenset[str]] | None = None
    templates: tuple[tuple[str, ...], re.Pattern[bytes]] | None = None
    settings: frozenset[str] = frozenset()
    settings_in: str = ""
    secrets: frozenset[str] = frozenset()
    packages: tuple[str, ...] = ()
    bearers: tuple[str, ...] = ()
    basic: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableReader:
    """Reads applications of one framework."""

    framework: Framework

    def recognises(self, root: Path) -> bool:
        """Tell whether a folder holds an application of this framework."""
        return self.framework.recognises(root)

    def read(self, root: Path, *, users_table: str) -> ApplicationFindings:
        """Read all of an application's own code."""
        frame = self.framework
        views = frame.templates[0] if frame.templates else ()
        files = SourceFiles(
            root, {f".{end.rpartition('.')[2]}" for end in (*frame.endings, *views, ".sql")}
        )
        versions, said_by, unread = packages(root)
        notes = Notes(frame, in_sql(users_table), versions)
        count = 0
        for path, code in files:
            count += 1
            notes.read_file(path, code)
        for sign, names in ((Sign.FOREIGN_BEARERS, frame.bearers), (Sign.HTTP_BASIC, frame.basic)):
            for name in names:
                if name in versions:
                    notes.add(sign, Place(said_by[name], 0, name))
        shown = (*frame.packages, *frame.bearers, *frame.basic)
        return ApplicationFindings(
            framework=frame.name,
            root=str(root),
            files=count,
            versions={name: versions[name] for name in shown if name in versions},
            models={},
            scopes=(),
            session_store=frame.store(notes),
            settings=notes.settings,
            secrets_set=tuple(sorted(notes.secrets)),
            ignores_columns=(),
            signs={sign: tuple(notes.signs[sign]) for sign in Sign if notes.signs[sign]},
            unread={**files.unread, **unread},
        )


@dataclass
class Notes:
    """What was seen so far.

    Attributes:
        settings: As written, by name.
        calls: Of every call the arguments by name, for whoever says where sessions are.
        given: Bare names that were arguments of calls.
    """

    framework: Framework
    users_in_sql: re.Pattern[str]
    versions: Mapping[str, str]
    settings: dict[str, str] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    signs: defaultdict[Sign, list[Place]] = field(default_factory=lambda: defaultdict(list))
    calls: defaultdict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    given: set[str] = field(default_factory=set)
    path: str = ""

    def __post_init__(self) -> None:
        self._rules: defaultdict[str, list[Rule]] = defaultdict(list)
        for rule in self.framework.rules:
            for method in rule.methods:
                self._rules[method].append(rule)

    def add(self, sign: Sign, place: Place) -> None:
        """Keep a place, once."""
        if place not in self.signs[sign]:
            self.signs[sign].append(place)

    def read_file(self, path: str, code: bytes) -> None:
        """Read one file."""
        self.path = path
        views, link = self.framework.templates or ((), None)
        if path.endswith(".sql"):
            self._sql(code.decode(errors="replace"), 1)
        elif views and link is not None and path.endswith(views):
            for number, line in enumerate(code.splitlines(), 1):
                for found in link.findall(line):
                    self._here(Sign.LOGIN_LINKS, number, found.decode(errors="replace"))
        elif path.endswith(self.framework.endings):
            for piece in self.framework.pieces(code):
                self._note(piece)

    def _here(self, sign: Sign, line: int, what: str) -> None:
        self.add(sign, Place(self.path, line, what))

    @singledispatchmethod
    def _note(self, piece: object) -> None:
        raise TypeError(type(piece))

    @_note.register
    def _(self, call: Call) -> None:
        self.calls[call.method] |= call.options
        self.given |= set(call.constants)
        for rule in self._rules.get(call.method, ()):
            if rule.means(call):
                self._here(rule.sign, call.line, call.method)
        if call.method in self.framework.columns:
            self._here(Sign.LEGACY_COLUMNS, call.line, call.method)
        if any(map(_AUTHORIZATION.fullmatch, call.words)) and call.method in _READERS:
            self._here(Sign.FOREIGN_BEARERS, call.line, _READS_HEADER)
        if self.framework.session.search(call.receiver) and call.method in _WRITERS:
            for key in filter(_PERSON.search, call.words[:1]):
                self._here(self.framework.session_key, call.line, f"session[{key}]")

    @_note.register
    def _(self, found: Assignment) -> None:
        self._setting(found)
        signs_in = self.framework.session_key is Sign.SIGNS_IN
        if (
            signs_in
            and self.framework.session.search(found.receiver)
            and _PERSON.search(found.name)
        ):
            self._here(Sign.SIGNS_IN, found.line, f"session[{found.name}]")

    def _setting(self, found: Assignment) -> None:
        if self.framework.settings_in not in {"", self.path}:
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
            self._here(Sign.OWN_SESSION_KEY, found.line, f"session[{found.key}]")
        self._header(found.object, found.key, found.line)

    @_note.register
    def _(self, found: Field) -> None:
        self._header(found.object, found.name, found.line)
        if found.name in self.framework.columns:
            self._here(Sign.LEGACY_COLUMNS, found.line, found.name)
        if self.framework.person is not None:
            objects, names = self.framework.person
            if found.name in names and objects.search(found.object):
                self._here(Sign.LEGACY_COLUMNS, found.line, found.name)
        for sign, pattern in self.framework.members.items():
            if pattern.search(f"{found.object}.{found.name}"):
                self._here(sign, found.line, found.name)

    @_note.register
    def _(self, found: Text) -> None:
        for sign, pattern in self.framework.texts.items():
            seen = pattern.search(found.text)
            if seen:
                self._here(sign, found.line, seen[0])
        if not found.is_name:
            self._sql(found.text, found.line)
            for name in re.findall(r"\w+", found.text):
                if name in self.framework.columns:
                    self._here(Sign.LEGACY_COLUMNS, found.line, name)

    def _header(self, holder: str, name: str, line: int) -> None:
        if _HEADERS.search(holder) and _AUTHORIZATION.fullmatch(name):
            self._here(Sign.FOREIGN_BEARERS, line, _READS_HEADER)

    def _sql(self, text: str, line: int) -> None:
        for found in self.users_in_sql.finditer(text):
            said = " ".join(found[0].split())
            self._here(Sign.USERS_IN_SQL, line + text.count("\n", 0, found.start()), said)


_READERS = frozenset({"get", "Get", "header", "get_header", "getHeader"})
_WRITERS = frozenset({"put", "Put", "set", "Set", "push", "setdefault"})


def any_of(*names: str) -> re.Pattern[str]:
    """Give a pattern for a receiver that is, or ends in, one of these names."""
    return re.compile(rf"(?:^|[.\\>:$])(?:{'|'.join(map(re.escape, names))})(?:\(\))?$")


def names(*words: str) -> frozenset[str]:
    """Give a set of names."""
    return frozenset(words)


def seconds(text: str, *, unit_s: float = 1) -> timedelta | None:
    """Read a number, or a product of numbers, of such units; None for anything else."""
    if not _PRODUCT.match(text):
        return None
    return timedelta(
        seconds=prod(int(one.strip().replace("_", "")) for one in text.split("*")) * unit_s
    )


def has_package(root: Path, wanted: Iterable[str]) -> bool:
    """Tell whether an application asks for one of these packages."""
    versions, _, _ = packages(root)
    return any(name in versions for name in wanted)
