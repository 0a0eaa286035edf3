"""Which users share one address once it is normalised, found in bounded memory.

The row whose address is already in the form that Devise looks up keeps it: that row is whom the
login form finds. Every other variant loses, and where no row is in that form nobody keeps it. The
answer depends on neither the order of rows nor the size of pages.

Addresses that differ even then, but not in Unicode's compatibility form (NFKC: composed or
decomposed accents, full-width letters), belong to different people for both systems. They are
only told apart with difficulty, so they are pointed out.
"""

from __future__ import annotations

import sqlite3
import unicodedata
from hashlib import blake2b
from typing import TYPE_CHECKING

from migrator.core.emails import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_TABLE = (
    "CREATE TABLE claim (address BLOB PRIMARY KEY, variants INTEGER NOT NULL DEFAULT 0,"
    " canonical INTEGER NOT NULL DEFAULT 0, first_pk TEXT) WITHOUT ROWID"
)
_FORM_TABLE = (
    "CREATE TABLE form (form BLOB, address BLOB, PRIMARY KEY (form, address)) WITHOUT ROWID"
)
_ADD_FORM = "INSERT INTO form (form, address) VALUES (?, ?) ON CONFLICT DO NOTHING"
_COUNT_FORM = "SELECT count(*) FROM form WHERE form = ? AND address <> ?"
_ADD_VARIANT = (
    "INSERT INTO claim (address, variants) VALUES (?, 1)"
    " ON CONFLICT (address) DO UPDATE SET variants = variants + 1"
)
_ADD_CANONICAL = (
    "INSERT INTO claim (address, canonical) VALUES (?, 1)"
    " ON CONFLICT (address) DO UPDATE SET canonical = 1"
)
_ADD_REPEATED = (
    "INSERT INTO claim (address, canonical, first_pk) VALUES (?, 1, ?)"
    " ON CONFLICT (address) DO UPDATE SET canonical = 1, first_pk = excluded.first_pk"
)
_FIND = "SELECT variants, canonical, first_pk FROM claim WHERE address = ?"
_DIGEST_BYTES = 16


class SharedEmails:
    """Claims on normalised addresses, kept as digests in a private file that SQLite spills to.

    Only addresses that are not plainly in normal form are kept, and those that occur twice.
    """

    def __init__(self) -> None:
        # '' is SQLite's name for a temporary database on disk, removed when it is closed.
        self._claims = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._claims.execute(_TABLE)
        self._claims.execute(_FORM_TABLE)
        self._repeated = 0

    def add_odd(self, emails: Sequence[str]) -> list[str]:
        """Take in rows that may not be in normal form.

        Returns:
            The normal forms of those that are not, and the addresses that others resemble, to be
            looked for among all rows.
        """
        canonical: list[str] = []
        variants: list[str] = []
        for email in emails:
            wanted = normalise(email)
            (canonical if wanted == email else variants).append(wanted)
        self.add_canonical(canonical)
        self._claims.executemany(_ADD_VARIANT, ((digest(email),) for email in variants))
        return variants + self._add_forms([*canonical, *variants])

    def _add_forms(self, addresses: list[str]) -> list[str]:
        forms = [(_form(email), email) for email in addresses if not email.isascii()]
        rows = ((digest(form), digest(email)) for form, email in forms)
        self._claims.executemany(_ADD_FORM, rows)
        return [form for form, email in forms if form != email]

    def add_canonical(self, emails: Iterable[str]) -> None:
        """Take in addresses that exist; those not in normal form count for nothing here."""
        digests = ((digest(email),) for email in emails if normalise(email) == email)
        self._claims.executemany(_ADD_CANONICAL, digests)

    def add_repeated(self, repeated: Sequence[tuple[str, str]]) -> None:
        """Take in the addresses that several rows hold alike, each after the first key among them.

        Devise finds the row with that key.
        """
        for first_pk, email in repeated:
            if normalise(email) == email:
                self._claims.execute(_ADD_REPEATED, (digest(email), first_pk))
                self._repeated += 1

    @property
    def has_repeated(self) -> bool:
        """Whether several rows hold one address alike, so that even a plain one may be lost."""
        return self._repeated > 0

    def is_claimed(self, address: str) -> bool:
        """Tell that some row has this normalised address, among those that were taken in."""
        return self._claims.execute(_FIND, (digest(address),)).fetchone() is not None

    def resembles(self, address: str) -> bool:
        """Tell that another row's address has the same compatibility form as this normalised one."""
        form = _form(address)
        if form != address and self.is_claimed(form):
            return True
        sought = (digest(form), digest(address))
        return bool(self._claims.execute(_COUNT_FORM, sought).fetchone()[0])

    def loses(self, pk: str, email: str, wanted: str) -> bool:
        """Tell that this row may not have `wanted`, its normalised address."""
        if wanted == email and not self._repeated:
            return False
        claim = self._claims.execute(_FIND, (digest(wanted),)).fetchone()
        if wanted == email:
            return claim is not None and claim[2] not in {None, pk}
        # A variant that nobody looked at was changed while the import ran: the next run knows it.
        return claim is None or claim[1] == 1 or claim[0] > 1


def _form(address: str) -> str:
    return normalise(unicodedata.normalize("NFKC", address))


def digest(email: str) -> bytes:
    """Give what stands for an address among the claims."""
    return blake2b(email.encode("utf-8", "surrogateescape"), digest_size=_DIGEST_BYTES).digest()
