"""A framework as a table of names: what its applications look like, and what in them means something."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from math import prod
from typing import TYPE_CHECKING

from migrator.application.interface import SessionStore, Sign

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from migrator.application.pieces import Call, Piece

_PRODUCT = re.compile(r"^\s*\d[\d_]*(?:\s*\*\s*\d[\d_]*)*\s*$")


@dataclass(frozen=True)
class Seen:
    """What says where an application keeps its sessions.

    Attributes:
        packages: Those that it asks for.
        settings: As written, by name.
        options: Arguments by name, by the call that they were given to.
        given: Bare names that were arguments of calls.
    """

    packages: Collection[str]
    settings: Mapping[str, str]
    options: Mapping[str, Mapping[str, str]]
    given: Collection[str]

    def kinds(self, kind_of: Mapping[str, str]) -> list[str]:
        """Give the kind of store of each package that is there."""
        return [kind for package, kind in kind_of.items() if package in self.packages]


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
        marks: Files that each application has.
        asks_for: Packages of which an application asks for one; without any the marks are enough.
        manifests: The files that tell.
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
    rules: tuple[Rule, ...]
    store: Callable[[Seen], SessionStore]
    session: re.Pattern[str]
    session_key: Sign
    marks: tuple[str, ...] = ()
    asks_for: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()
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


def any_of(*names: str) -> re.Pattern[str]:
    """Give a pattern for a receiver that is, or ends in, one of these names."""
    return re.compile(rf"(?:^|[.\\>:$])(?:{'|'.join(map(re.escape, names))})(?:\(\))?$")


def names(*words: str) -> frozenset[str]:
    """Give a set of names."""
    return frozenset(words)


def session_store(
    kinds: Iterable[str], age: str, *, unit: str = "s", unit_s: float = 1
) -> SessionStore:
    """Give a store of one of these kinds.

    Args:
        kinds: What the code names; none where it does not say.
        age: How long a session lasts, as written; '' where the code does not say.
        unit: Of the age.
        unit_s: How many seconds it has.
    """
    said = f"{age} {unit}" if age else ""
    return SessionStore(either(kinds), said, _time(age, unit_s))


def either(kinds: Iterable[str]) -> str:
    """Give the kinds that code names, as words."""
    return " or ".join(dict.fromkeys(kinds))


def _time(text: str, unit_s: float) -> timedelta | None:
    """Read a number, or a product of numbers; None for anything else."""
    if not _PRODUCT.match(text):
        return None
    return timedelta(
        seconds=prod(int(one.strip().replace("_", "")) for one in text.split("*")) * unit_s
    )
