"""Tells users with nothing special about them: from a line of COPY alone, or once they were read."""

from __future__ import annotations

import re
from itertools import chain, compress
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
    columns = list(map(list, zip(*found, strict=True)))
    others: list[int] = []
    if "" in columns[1] or not apart.isdisjoint(chain(*columns[:2])):
        is_plain = [
            email and apart.isdisjoint((pk, email)) for pk, email in zip(*columns[:2], strict=True)
        ]
        others = [place for place, plain in enumerate(is_plain) if not plain]
        columns = [list(compress(column, is_plain)) for column in columns]
    pks, emails, passwords, names, created, updated, confirmed = columns
    plain = PlainUsers(
        pks,
        emails,
        passwords,
        ["" if name == r"\N" else name for name in names],
        list(map(int, created)),
        list(map(int, updated)),
        [at != r"\N" for at in confirmed],
    )
    return plain, others


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
