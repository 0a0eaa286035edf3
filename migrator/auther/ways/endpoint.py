"""Auther through the plugin's endpoints: the way in while Auther runs on a database file."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from migrator.auther.interface import CREDENTIAL, AccountRow, Found, Stored, TupleRow, UserRow
from migrator.auther.ways.calling import Patience
from migrator.auther.ways.door import body_of, open_door, refusals
from migrator.auther.ways.pages import pages_within
from migrator.auther.ways.upserts import Upserts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from migrator.auther.interface import Change, Mapped
    from migrator.auther.ways.door import Door

PAGE_ROWS = 1000
ASKED_AT_ONCE = 2000


class EndpointTarget:
    """Users through the plugin, which writes a request whole or not at all."""

    page_rows = PAGE_ROWS

    def __init__(self, door: Door) -> None:
        self._door = door
        self._upserts = Upserts(door, self.read)

    def find(self, rows: Sequence[Mapped]) -> Found:  # noqa: D102
        found = Found()
        ids: set[str] = set()
        for start in range(0, len(rows), ASKED_AT_ONCE):
            part = self._find(rows[start : start + ASKED_AT_ONCE])
            ids |= part.ids
            found.emails.update(part.emails)
            found.usernames.update(part.usernames)
            found.subjects.update(part.subjects)
        return Found(
            frozenset(ids - self._upserts.half_done), found.emails, found.usernames, found.subjects
        )

    def _find(self, rows: Sequence[Mapped]) -> Found:
        asked = {
            "ids": [row.user.id for row in rows],
            "emails": [row.user.email for row in rows],
            "usernames": [row.user.username for row in rows if row.user.username],
            "subjects": [
                [a.provider_id, a.account_id]
                for row in rows
                for a in row.accounts
                if a.provider_id != CREDENTIAL
            ],
        }
        return self._door.post("find", body_of(asked), _found)

    def write(self, rows: Sequence[Mapped]) -> None:  # noqa: D102
        self._upserts.write(rows)

    def change(self, changes: Sequence[Change]) -> list[str]:  # noqa: D102
        left: dict[str, Change] = {}
        for page in pages_within(changes, _change):
            answer = self._door.post("change", _listed("changes", page.texts), _outcomes)
            for change, outcome in zip(page.items, answer, strict=True):
                if outcome != "changed":
                    left[change.before.user.id] = change
        # An answer may have been lost: then it is our own change that is in the way.
        there = self.read(list(left)) if left else {}
        return [user_id for user_id, c in left.items() if there.get(user_id) != _wanted(c)]

    def read(self, ids: Sequence[str]) -> dict[str, Stored]:  # noqa: D102
        found: dict[str, Stored] = {}
        for part in _parts(ids):
            found.update(self._door.post("read", body_of({"ids": part}), _stored))
        return found

    def tuples(self, ids: Sequence[str]) -> dict[str, tuple[TupleRow, ...]] | None:  # noqa: D102
        found: dict[str, tuple[TupleRow, ...]] = {}
        for part in _parts(ids):
            answer = self._door.post("read", body_of({"ids": part, "tuples": True}), _tuples)
            if answer is None:
                return None
            found.update(answer)
        return found

    def owners(self, emails: Sequence[str]) -> dict[str, str]:  # noqa: D102
        found: dict[str, str] = {}
        for part in _parts(emails):
            found.update(self._door.post("find", body_of({"emails": part}), _found).emails)
        return found

    def count_users(self) -> int:  # noqa: D102
        return self._door.post("count", b"{}", lambda answer: int(answer["users"]))

    def user_ids(self, *, rows: int) -> Iterator[list[str]]:  # noqa: D102
        after = ""
        limit = min(rows, ASKED_AT_ONCE)
        while page := self._door.get("ids", _ids, after=after, limit=limit):
            yield page
            after = page[-1]

    def tables_in_use(self, ids: Sequence[str]) -> dict[str, list[str]]:  # noqa: D102
        found: dict[str, list[str]] = {}
        for part in _parts(ids):
            found.update(
                self._door.post("in-use", body_of({"ids": part}), lambda a: dict(a["tables"]))
            )
        return found

    def remove(self, ids: Sequence[str]) -> int:  # noqa: D102
        removed = 0
        for part in _parts(ids):
            # The answer may be lost and the removal repeated, so it is not what counts.
            before = self._present(part)
            self._door.post(
                "remove", body_of({"ids": part}), lambda answer: int(answer["removed"])
            )
            removed += len(before) - len(self._present(part))
        return removed

    def ensure_account_index(self) -> bool:
        """Say no: an endpoint makes no indexes."""
        return False

    def drop_account_index(self) -> None:
        """Do nothing: none was made."""

    def _present(self, ids: Sequence[str]) -> frozenset[str]:
        return self._door.post("find", body_of({"ids": ids}), _found).ids


@contextmanager
def open_endpoint(
    api: str,
    *,
    secret: str,
    patience: Patience | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[EndpointTarget]:
    """Reach the plugin of a running Auther.

    Args:
        api: The base of better-auth's HTTP API.
        secret: The one for imports.
        patience: How long an Auther that is away is waited for.
        sleep: Waits so many seconds.

    Raises:
        RefusedError: The plugin is not there, or does not know the secret.
        DependencyError: Auther does not answer.
    """
    with open_door(
        f"{api}/migrator/users/",
        secret=secret,
        refusals=refusals("IMPORT", "imports"),
        patience=patience or Patience(),
        sleep=sleep,
    ) as door:
        target = EndpointTarget(door)
        target.count_users()
        yield target


def _parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), ASKED_AT_ONCE):
        yield values[start : start + ASKED_AT_ONCE]


def _listed(name: str, texts: Sequence[bytes]) -> bytes:
    return b'{"%b":[%b]}' % (name.encode(), b",".join(texts))


def _change(change: Change) -> bytes:
    before = change.before
    return body_of(
        {
            "before": {
                "user": before.user._asdict(),
                "accounts": [account._asdict() for account in before.accounts],
            },
            "user": change.user._asdict() if change.user else None,
            "accounts": [account._asdict() for account in change.accounts],
            "tuples": {
                "add": [row._asdict() for row in change.granted],
                "remove": change.revoked,
            },
        }
    )


def _outcomes(answer: Any) -> list[str]:
    return [str(outcome["outcome"]) for outcome in answer["outcomes"]]


def _found(answer: Any) -> Found:
    return Found(
        ids=frozenset(answer["ids"]),
        emails=dict(answer["emails"]),
        usernames=dict(answer["usernames"]),
        subjects={(provider, subject): owner for provider, subject, owner in answer["subjects"]},
    )


def _stored(answer: Any) -> dict[str, Stored]:
    return {
        person["user"]["id"]: Stored(
            UserRow(**person["user"]),
            tuple(sorted(AccountRow(**account) for account in person["accounts"])),
        )
        for person in answer["users"]
    }


def _tuples(answer: Any) -> dict[str, tuple[TupleRow, ...]] | None:
    """Take roles apart; a plugin that cannot read them, or an older one, answers without them."""
    people = answer["users"]
    if any(person.get("tuples") is None for person in people):
        return None
    return {
        person["user"]["id"]: tuple(sorted(TupleRow(**row) for row in person["tuples"]))
        for person in people
        if person["tuples"]
    }


def _ids(answer: Any) -> list[str]:
    return [str(user_id) for user_id in answer["ids"]]


def _wanted(change: Change) -> Stored | None:
    return Stored(change.user, tuple(sorted(change.accounts))) if change.user else None
