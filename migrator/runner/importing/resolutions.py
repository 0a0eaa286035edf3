"""Reads and writes the file in which a person decides about rejected users."""

from __future__ import annotations

import re
import tomllib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from migrator.core.emails import auther_accepts, normalise
from migrator.core.errors import UsageError
from migrator.core.resolutions import ALONE, Action, Resolution
from migrator.core.users import RejectReason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_OTHERS = 0o077
_TABLE = "user"
_KEYS = frozenset({"reason", "action", "email", "auther_id", "same_person"})
_HEADER = re.compile(r"^\s*\[\s*user\s*\.")
_REASONS = tuple(r for r in RejectReason if r is not RejectReason.LINKED)


def read_resolutions(path: Path) -> dict[str, Resolution]:
    """Read the file; without one, nothing is decided.

    Returns:
        The entries by legacy key.

    Raises:
        UsageError: Others may read the file, or an entry is wrong; the message names the line.
    """
    if not path.exists():
        return {}
    if path.stat().st_mode & _OTHERS:
        raise UsageError(
            f"{path.name} holds addresses and others may read it", hint=f"chmod 600 {path}"
        )
    return parse(read_text(path), name=path.name)


def read_text(path: Path) -> str:
    """Give the file's text.

    Raises:
        UsageError: It is not in UTF-8, or cannot be read.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        said = type(error).__name__ if isinstance(error, UnicodeDecodeError) else error.strerror
        raise UsageError(
            f"{path.name} cannot be read as UTF-8: {said}", hint=_hint(path.name)
        ) from None


def parse(text: str, *, name: str) -> dict[str, Resolution]:
    """Read the file's text.

    Args:
        text: TOML.
        name: The file's name, for messages.

    Raises:
        UsageError: Something is wrong; the message names the line.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name}: {error}", hint=f"mend {name}; it is TOML") from None
    others = sorted(set(data) - {_TABLE})
    if others:
        raise UsageError(
            f'{name}: {others[0]} is unknown; an entry is [user."KEY"]', hint=_hint(name)
        )
    lines = _lines(text)
    found = {}
    for pk, entry in data.get(_TABLE, {}).items():
        line = lines.get(pk, 0)
        try:
            found[pk] = _resolution(pk, entry, line)
        except ValueError as error:
            place = f"{name}, line {line}" if line else name
            raise UsageError(f"{place}, user {pk}: {error}", hint=_hint(name)) from None
    _refuse_contradictions(found.values(), name)
    return found


def _hint(name: str) -> str:
    return f"edit {name}, then run the same again"


def _lines(text: str) -> dict[str, int]:
    """Find where each entry begins."""
    found = {}
    for number, line in enumerate(text.split("\n"), start=1):
        # Inside of a longer text such a line need not be TOML.
        with suppress(tomllib.TOMLDecodeError):
            if _HEADER.match(line):
                found.update(dict.fromkeys(tomllib.loads(line.rstrip())[_TABLE], number))
    return found


def _resolution(pk: str, entry: Any, line: int) -> Resolution:
    if not isinstance(entry, dict):
        raise ValueError('an entry is a table: [user."KEY"]')  # noqa: TRY004
    unknown = sorted(set(entry) - _KEYS)
    if unknown:
        raise ValueError(f"{unknown[0]} is unknown; there are: {', '.join(sorted(_KEYS))}")
    actions = _actions(entry.get("action"))
    return Resolution(
        pk,
        actions,
        _reason(entry.get("reason")),
        email=_email(entry, is_wanted=Action.EMAIL in actions),
        auther_id=_auther_id(entry, is_wanted=Action.LINK in actions),
        line=line,
    )


def _actions(value: Any) -> frozenset[Action]:
    words = value if isinstance(value, list) else [value]
    known = {str(action) for action in Action}
    wrong = [word for word in words if word not in known]
    if wrong or not words:
        raise ValueError(f"action has to be one or several of: {', '.join(Action)}")
    actions = frozenset(Action(word) for word in words)
    for word in sorted(actions & ALONE):
        if len(actions) > 1:
            raise ValueError(f"{word} stands alone")
    if {Action.EMAIL, Action.WINS} <= actions:
        raise ValueError("email and wins contradict each other")
    return actions


def _reason(value: Any) -> RejectReason:
    if value not in set(map(str, _REASONS)):
        raise ValueError(f"reason has to be one of: {', '.join(_REASONS)}")
    return RejectReason(value)


def _email(entry: Mapping[str, Any], *, is_wanted: bool) -> str:
    value = entry.get("email", "")
    if is_wanted != bool(value) or not isinstance(value, str):
        raise ValueError('action "email" goes with an address as email')
    email = normalise(value)
    if email and not auther_accepts(email):
        raise ValueError("Auther's sign-in refuses this address")
    return email


def _auther_id(entry: Mapping[str, Any], *, is_wanted: bool) -> str:
    value = entry.get("auther_id", "")
    if is_wanted != bool(value) or not isinstance(value, str):
        raise ValueError('action "link" goes with an id at Auther as auther_id')
    if is_wanted != (entry.get("same_person") is True):
        raise ValueError(
            "a link needs same_person = true: whoever signs in there is this user from then on"
        )
    return value


def _refuse_contradictions(resolutions: Iterable[Resolution], name: str) -> None:
    places: dict[tuple[str, str], Resolution] = {}
    for resolution in resolutions:
        for place in (("address", resolution.email), ("Auther id", resolution.auther_id)):
            other = places.setdefault(place, resolution)
            if place[1] and other is not resolution:
                raise UsageError(
                    f"{name}, line {resolution.line}, user {resolution.pk}: the same {place[0]} as"
                    f" in line {other.line}, user {other.pk}; people are never merged",
                    hint=_hint(name),
                )
