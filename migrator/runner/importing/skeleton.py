"""Writes the resolution file for a person: what is not decided yet, as comments to fill in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrator.core.resolutions import REMEDIES, Action
from migrator.core.texts import storable
from migrator.runner.private_file import put_in_place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from migrator.core.users import Reject

# Lines that begin with this are ours and are written anew each time.
OURS = "#? "
_ESCAPED = re.compile(r'[\x00-\x1f"\\\x7f]')
_HEAD = """\
What shall become of users whom the import rejects. To decide about one, take the leading
"#? " off its lines, choose one action, and complete what it asks for; then: migrator import run
Lines that begin with "#?" are written anew by: migrator import resolve
"""
_ASKS = {
    Action.EMAIL: 'email = "…"',
    Action.LINK: 'auther_id = "…", same_person = true',
}
_MEANS = {
    Action.SKIP: "stays out, and that is accepted",
    Action.EMAIL: "is imported under another address",
    Action.WINS: "gets the shared address; the others stay out",
    Action.LINK: "is the same person as a user whom Auther has",
    Action.WITHOUT_PASSWORD: "is imported without a password",
    Action.WITHOUT_IDENTITIES: "is imported without the sign-ins at providers",
    Action.TIMES: "is imported; odd times count as unknown",
}


def merged(text: str, unresolved: Iterable[Reject], *, decided: Collection[str]) -> str:
    """Give the file's next text: what a person wrote as it is, then what is not decided yet.

    Args:
        text: The file as it is, empty without one.
        unresolved: Rejects that no entry settles.
        decided: Keys that have an entry, which is then not the right one.
    """
    kept = [line for line in text.split("\n") if not line.startswith(OURS.rstrip())]
    while kept and not kept[-1].strip():
        kept.pop()
    ours = [f"# {line}" for line in _HEAD.splitlines()]
    for reject in unresolved:
        if storable(reject.pk):
            ours += ["", *(_again(reject) if reject.pk in decided else _entry(reject))]
    lines = [*kept, ""] if kept else []
    return "\n".join([*lines, *((OURS + line).rstrip() for line in ours)]) + "\n"


def _entry(reject: Reject) -> list[str]:
    lines = [f"[user.{_quoted(reject.pk)}]", f"# {_said(reject)}; choose:"]
    for action in REMEDIES[reject.reason]:
        asks = f", with {_ASKS[action]}" if action in _ASKS else ""
        lines.append(f'#   "{action}": {_MEANS[action]}{asks}')
    return [*lines, f'reason = "{reject.reason}"', 'action = ""']


def _again(reject: Reject) -> list[str]:
    return [
        f"# user {_quoted(reject.pk)} is rejected all the same: {_said(reject)}; change the entry"
    ]


def _said(reject: Reject) -> str:
    return f"{reject.reason} ({_one_line(reject.detail)})" if reject.detail else reject.reason


def _quoted(text: str) -> str:
    """Write a text as TOML's basic string, on one line."""
    escaped = _ESCAPED.sub(lambda match: rf"\u{ord(match[0]):04x}", text)
    return f'"{escaped}"'


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def write_private(path: Path, text: str) -> None:
    """Put a file in place of the old one, readable by its owner only.

    Raises:
        DependencyError: It cannot be written; the old one is as it was.
    """
    hint = "make room or set import.resolutions_file in migrator.toml"
    with put_in_place(path, what="the resolution file", hint=hint) as file:
        file.write(text)
