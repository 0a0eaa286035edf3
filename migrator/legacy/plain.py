"""Tells users with nothing special about them: from a line of COPY alone, or once they were read."""

from __future__ import annotations

import re
from array import array
from hashlib import sha256
from itertools import chain, compress
from sys import byteorder
from typing import TYPE_CHECKING

from migrator.core.emails import PLAIN_EMAIL
from migrator.core.plain import PlainUsers
from migrator.core.texts import storable
from migrator.schemes.bcrypt import WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migrator.core.users import LegacyUser

_NULL = r"\\N"
# No escapes, and no lone surrogates: those were bytes that are no text.
_TEXT = r"[^\t\n\\\ud800-\udfff]*"
# One digit less than the times that Auther can hold.
_MS, _BEYOND_MS = r"-?[0-9]{1,15}", 10**15
_EMAIL, _HASH = re.compile(PLAIN_EMAIL), re.compile(WHOLE)
# The same line by line; whatever else is in a line leaves the group empty.
_EMAILS, _HASHES = re.compile(rf"({PLAIN_EMAIL})\n|.*\n"), re.compile(rf"({WHOLE})\n|.*\n")
# What COPY would write with a backslash.
_ESCAPED = re.compile(r"[\b\t\v\f\r\\]")
# In the order of `users_page` in devise.sql; whatever follows the fixed columns has to be NULL.
_LINE = re.compile(
    "\t".join(
        [
            f"({_TEXT})",  # id
            f"({PLAIN_EMAIL})",
            f"({WHOLE})",  # encrypted_password
            f"({_TEXT}|{_NULL})",  # name
            _NULL,  # username
            f"({_MS})",  # created_at
            f"({_MS})",  # updated_at
            f"({_MS}|{_NULL})",  # confirmed_at
            _NULL,  # locked_at
            _NULL,  # deleted_at
            "f",  # second_factor
            f"(?:{_NULL})?",  # provider
            f"(?:{_NULL})?",  # uid
        ]
    )
    # Any other line, which leaves all groups empty.
    + rf"(?:\t{_NULL})*\n|.*\n"
)


def pick(lines: Sequence[str], *, apart: frozenset[str]) -> tuple[PlainUsers, list[int]]:
    """Pick the plain users out of a page.

    Args:
        lines: As COPY wrote them, without their ends.
        apart: Keys and addresses of users about whom something is special that their line does
            not say.

    Returns:
        The plain users, and the places of all other lines.
    """
    if not lines:
        return nobody(), []
    # One search over the whole page takes half the time of one for each line.
    found = _LINE.findall("\n".join([*lines, ""]))
    pks, emails, passwords, names, created, updated, confirmed = map(
        list, zip(*found, strict=True)
    )
    users = PlainUsers(
        pks,
        emails,
        passwords,
        _prints(passwords),
        ["" if name == r"\N" else name for name in names],
        array("q", [int(at or 0) for at in created]),
        array("q", [int(at or 0) for at in updated]),
        bytes([at != r"\N" for at in confirmed]),
    )
    return pick_columns(users, apart=apart)


def nobody() -> PlainUsers:
    """Give the columns of no users."""
    return PlainUsers([], [], [], [], [], array("q"), array("q"), b"")


def read_columns(values: Sequence[bytes]) -> PlainUsers | None:
    """Read what `users_columns` of devise.sql gave.

    Returns:
        Everybody; for whoever is not plain, the address or the hash is empty. None when that cannot
        be told: only `users_page` can be read then.
    """
    pks, emails, passwords, prints, names, created, updated, confirmed = values
    try:
        users = PlainUsers(
            pks.decode().split("\n"),
            _EMAILS.findall(_ended(emails)),
            _HASHES.findall(_ended(passwords)),
            prints.decode().split("\n"),
            names.decode().split("\n"),
            _numbers(created),
            _numbers(updated),
            confirmed,
        )
    except UnicodeDecodeError:
        return None
    is_even = {*map(len, users)} == {len(confirmed)}
    return users if confirmed and is_even and not _ESCAPED.search(pks.decode()) else None


def _ended(column: bytes) -> str:
    # Bytes that are not ASCII are not plain, whatever they stand for.
    return column.decode("latin-1") + "\n"


def _numbers(column: bytes) -> array[int]:
    """Read numbers side by side, the way they are sent and kept too: without an object for each."""
    found = array("q", column)
    if byteorder == "little":
        found.byteswap()
    return found


def _prints(passwords: Iterable[str]) -> list[str]:
    return [sha256(password.encode()).hexdigest() for password in passwords]


def pick_columns(users: PlainUsers, *, apart: frozenset[str]) -> tuple[PlainUsers, list[int]]:
    """Pick the plain users out of columns in which all others lack the address or the hash."""
    pks, emails, passwords = users[:3]
    is_set_apart = bool(apart) and not apart.isdisjoint(chain(pks, emails))
    if not is_set_apart and "" not in emails and "" not in passwords:
        return users, []
    is_plain = [
        bool(email and password and apart.isdisjoint((pk, email)))
        for pk, email, password in zip(pks, emails, passwords, strict=True)
    ]
    kept = [list(compress(texts, is_plain)) for texts in users[:5]]
    created_ms = array("q", compress(users.created_ms, is_plain))
    updated_ms = array("q", compress(users.updated_ms, is_plain))
    confirmed = bytes(compress(users.confirmed, is_plain))
    plain = PlainUsers._make([*kept, created_ms, updated_ms, confirmed])
    return plain, [place for place, found in enumerate(is_plain) if not found]


def pick_read(users: Iterable[LegacyUser], *, apart: frozenset[str]) -> PlainUsers:
    """Pick the plain ones out of users who were read; `apart` as for `pick`."""
    plain = [u for u in users if _is_plain(u) and apart.isdisjoint((u.pk, u.email))]
    passwords = [user.password or "" for user in plain]
    return PlainUsers(
        [user.pk for user in plain],
        [user.email or "" for user in plain],
        passwords,
        _prints(passwords),
        [user.name or "" for user in plain],
        [user.created_ms or 0 for user in plain],
        [user.updated_ms or 0 for user in plain],
        bytes([user.confirmed_ms is not None for user in plain]),
    )


def _is_plain(user: LegacyUser) -> bool:
    special = user.username, user.salt, user.locked_ms, user.deleted_ms
    if user.second_factor or user.disabled or user.identities or user.roles:
        return False
    if special != (None, None, None, None):
        return False
    if not (_EMAIL.fullmatch(user.email or "") and _HASH.fullmatch(user.password or "")):
        return False
    times = user.created_ms, user.updated_ms, user.confirmed_ms or 0
    return storable(user.name or "") and all(
        ms is not None and abs(ms) < _BEYOND_MS for ms in times
    )
