"""Tells users with nothing special about them: from a line of COPY alone, or once they were read."""

from __future__ import annotations

import re
from array import array
from itertools import chain, compress
from typing import TYPE_CHECKING, Any

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
        return PlainUsers([], [], [], [], [], [], []), []
    # One search over the whole page takes half the time of one for each line.
    found = _LINE.findall("\n".join([*lines, ""]))
    pks, emails, passwords, names, created, updated, confirmed = map(
        list, zip(*found, strict=True)
    )
    names = ["" if name == r"\N" else name for name in names]
    is_confirmed = [at != r"\N" for at in confirmed]
    columns = [pks, emails, passwords, names, created, updated, is_confirmed]
    return _picked(columns, apart=apart)


def read_columns(values: Sequence[bytes]) -> list[list[str]] | None:
    """Read what `users_columns` of devise.sql gave.

    Returns:
        The first six columns that `PlainUsers` has, and flags as 0 or 1; for whoever is not plain, the
        address or the hash is empty. None when that cannot be told: only `users_page` can be read then.
    """
    count, *parts, flags = values
    pks, emails, passwords, names, created, updated = parts
    try:
        columns = [
            pks.decode().split("\n"),
            _EMAILS.findall(_ended(emails)),
            _HASHES.findall(_ended(passwords)),
            names.decode().split("\n"),
            created.decode().split("\n"),
            updated.decode().split("\n"),
            list(flags.decode()),
        ]
    except UnicodeDecodeError:
        return None
    is_even = {*map(len, columns)} == {int(count)}
    return columns if is_even and not _ESCAPED.search(pks.decode()) else None


def _ended(column: bytes) -> str:
    # Bytes that are not ASCII are not plain, whatever they stand for.
    return column.decode("latin-1") + "\n"


def pick_columns(
    columns: Sequence[list[str]], *, apart: frozenset[str]
) -> tuple[PlainUsers, list[int]]:
    """Pick the plain users out of what `read_columns` gave, as `pick` does out of lines."""
    *texts, flags = columns
    return _picked([*texts, [flag == "1" for flag in flags]], apart=apart)


def _picked(columns: list[list[Any]], *, apart: frozenset[str]) -> tuple[PlainUsers, list[int]]:
    others: list[int] = []
    pks, emails, passwords = columns[:3]
    if "" in emails or "" in passwords or not apart.isdisjoint(chain(pks, emails)):
        is_plain = [
            email and password and apart.isdisjoint((pk, email))
            for pk, email, password in zip(pks, emails, passwords, strict=True)
        ]
        others = [place for place, plain in enumerate(is_plain) if not plain]
        columns = [list(compress(column, is_plain)) for column in columns]
    pks, emails, passwords, names, created, updated, confirmed = columns
    # Numbers side by side: they are sent and kept without an object for each.
    created_ms, updated_ms = array("q", map(int, created)), array("q", map(int, updated))
    return PlainUsers(pks, emails, passwords, names, created_ms, updated_ms, confirmed), others


def pick_read(users: Iterable[LegacyUser], *, apart: frozenset[str]) -> PlainUsers:
    """Pick the plain ones out of users who were read; `apart` as for `pick`."""
    plain = [u for u in users if _is_plain(u) and apart.isdisjoint((u.pk, u.email))]
    return PlainUsers(
        [user.pk for user in plain],
        [user.email or "" for user in plain],
        [user.password or "" for user in plain],
        [user.name or "" for user in plain],
        [user.created_ms or 0 for user in plain],
        [user.updated_ms or 0 for user in plain],
        [user.confirmed_ms is not None for user in plain],
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
