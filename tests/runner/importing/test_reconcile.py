"""Whole rows and single fields tell the same, whatever is changed on either side, and when."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from migrator.auther.interface import AccountRow, UserRow
from migrator.runner.importing.batch import Batch
from migrator.runner.importing.ends import open_target
from migrator.runner.importing.imports import make_rules, open_ends
from migrator.runner.importing.pages import batches
from migrator.runner.importing.reconcile import Reconciler, Reconciliation
from phases import p1_import
from tests.phases.importing import IMPORTED, Site, make_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from migrator.core.users import LegacyUser
    from migrator.legacy.devise import DeviseSource
    from migrator.runner.importing.differences import Difference

ROWS = 50
IDENTITY = {
    "source": "migrator_identity.source",
    "user_pk": "migrator_identity.user_pk",
    "auther_id": "migrator_identity.auther_id",
    "pinned_reason": "migrator_identity.pinned_reason",
    "legacy_hash_fp": "migrator_identity.legacy_hash_fp",
}
# What is found instead of the column when the key of a row is another one.
ELSEWHERE = {
    "user.id": "claimed although rejected",
    "account.id": "account missing",
    "account.user_id": "account missing",
}
Found = tuple[Reconciliation, list["Difference"]]


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    site = make_site(tmp_path, devise_db, monkeypatch, identities="public.identities")
    p1_import.run(site.ctx)
    return site


class Meanwhile:
    """A source at whose second read something has just been done."""

    def __init__(self, source: DeviseSource, act: Callable[[], object]) -> None:
        self._source = source
        self._act = act

    def users(self, pks: Sequence[str]) -> tuple[LegacyUser, ...]:
        self._act()
        return self._source.users(pks)


def reconciled(site: Site, *, whole_rows: bool, act: Callable[[], object] = lambda: None) -> Found:
    """Compare everybody, by whole rows first or field by field alone."""
    found: list[Difference] = []
    ctx = site.ctx
    with open_ends(ctx, writing=False) as ends, open_target(ctx, writing=False) as target:
        rules = make_rules(ctx, ends.source)
        now_ms = round(ctx.clock.now().timestamp() * 1000)
        reconciler = Reconciler(
            Meanwhile(ends.source, act),  # type: ignore[arg-type]
            target,
            ends.identities,
            rules,
            now_ms=now_ms,
            write=found.append,
        )
        if whole_rows:
            with batches(ctx, ends.source, rules, rows=ROWS, users=0) as pages:
                for page in pages:
                    reconciler.compare(reconciler.look(page))
        else:
            for users in ends.source.pages(rows=ROWS):
                reconciler.compare(reconciler.look(Batch.of(users.users)))
        reconciler.orphans(id_column="id")
        reconciler.target_pages()
    return reconciler.result, found


def told(found: Found) -> tuple[object, ...]:
    """What a comparison says, in an order of its own."""
    result, differences = found
    counts = (result.read, result.equal, result.left_to_auther, result.rejected, result.differing)
    allowed = sorted(result.allowed.items())
    return (
        *counts,
        result.foreign,
        allowed,
        sorted(result.by_kind.items()),
        sorted(map(repr, differences)),
    )


@dataclass
class Damage:
    """Changes single values, each at a user of its own.

    Attributes:
        expected: (kind, legacy key) that has to be found.
        touched: Legacy keys and ids at Auther about which something may be found.
    """

    site: Site
    chance: random.Random
    expected: set[tuple[str, str]] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        rows = self.site.sql("SELECT user_pk, auther_id FROM migrator_identity ORDER BY user_pk")
        self._victims = self.chance.sample(rows, len(rows))

    def all(self) -> None:
        for column in UserRow._fields:
            self._user(column)
        for column in AccountRow._fields:
            for provider in ("credential", "other"):
                self._account(column, provider)
        for column, kind in IDENTITY.items():
            self._identity(column, kind)

    def _victim(self, wanted: Callable[[str], bool] = lambda _: True) -> tuple[str, str]:
        place = next(at for at, (_, user_id) in enumerate(self._victims) if wanted(user_id))
        pk, user_id = self._victims.pop(place)
        self.touched |= {pk, user_id}
        return pk, user_id

    def _user(self, column: str) -> None:
        pk, user_id = self._victim()
        with self._loose() as auther:
            self._spoil(auther, '"user"', column, user_id)
        self.expected.add((ELSEWHERE.get(f"user.{column}", f"user.{column}"), pk))

    def _account(self, column: str, provider: str) -> None:
        sign = "=" if provider == "credential" else "<>"
        query = f"SELECT id FROM account WHERE user_id = ? AND provider_id {sign} 'credential'"
        pk, user_id = self._victim(lambda owner: bool(self.site.auther(query, owner)))
        (key,) = self.site.auther(query, user_id)[0]
        with self._loose() as auther:
            if column == "user_id":
                other = self._victim()[1]
                auther.execute("UPDATE account SET user_id = ? WHERE id = ?", (other, key))
            else:
                self._spoil(auther, "account", column, key)
        self.expected.add((ELSEWHERE.get(f"account.{column}", f"account.{column}"), pk))

    def _identity(self, column: str, kind: str) -> None:
        pk, _ = self._victim()
        odd = f"9{pk}000" if column == "user_pk" else f"odd {pk}"
        self.touched.add(odd)
        self.site.sql(f"UPDATE migrator_identity SET {column} = %s WHERE user_pk = %s", odd, pk)
        self.expected.add((kind, pk))

    def _spoil(self, auther: sqlite3.Connection, table: str, column: str, key: str) -> None:
        (old,) = auther.execute(f"SELECT {column} FROM {table} WHERE id = ?", (key,)).fetchone()
        new = self._other_than(old)
        auther.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (new, key))

    def _other_than(self, old: Any) -> Any:
        if isinstance(old, int):
            return old + self.chance.choice([1, -1, 10**6])
        odd = f"odd{self.chance.randrange(10**9)}"
        return self.chance.choice([odd, odd + "\x00\u00e9\t", str(old) + " "])

    @contextmanager
    def _loose(self) -> Iterator[sqlite3.Connection]:
        """Keys may point to nobody here."""
        with closing(sqlite3.connect(self.site.auther_db)) as connection:
            yield connection
            connection.commit()


@pytest.mark.parametrize("seed", [1, 2])
def test_every_column_that_was_changed_is_found_and_nothing_else(site: Site, seed: int) -> None:
    damage = Damage(site, random.Random(seed))
    damage.all()
    fast = reconciled(site, whole_rows=True)
    assert told(fast) == told(reconciled(site, whole_rows=False))
    found = {(d.kind, d.pk) for d in fast[1]}
    assert damage.expected <= found, damage.expected - found
    assert [d for d in fast[1] if not {d.pk, d.auther_id} & damage.touched] == []
    assert len(damage.expected) == len(UserRow._fields) + 2 * len(AccountRow._fields) + len(
        IDENTITY
    )
    assert fast[0].adds_up()


def test_sides_that_agree(site: Site) -> None:
    for way in (True, False):
        result, differences = reconciled(site, whole_rows=way)
        assert (result.read, result.equal, result.rejected) == (600, IMPORTED, 600 - IMPORTED)
        assert not differences
        assert result.holds()


def test_only_what_both_reads_saw_counts(site: Site) -> None:
    user_id, name = site.auther("SELECT id, name FROM \"user\" WHERE name NOT LIKE '%''%'")[0]
    back = f"name = '{name}', role = 'user'"
    cases = {
        "name = 'Odd'": {"user.name": 1},
        "name = 'Odder'": {"user.name": 1},
        back: {},
        f"name = '{name}', role = 'admin'": {},
    }
    for change, kinds in cases.items():
        for way in (True, False):
            site.auther(f"UPDATE \"user\" SET {back}, name = 'Odd' WHERE id = ?", user_id)
            then = f'UPDATE "user" SET {change} WHERE id = ?'
            act = partial(site.auther, then, user_id)
            result, _ = reconciled(site, whole_rows=way, act=act)
            assert result.by_kind == kinds, change
            assert (result.equal, result.differing) == (IMPORTED - len(kinds), len(kinds))


def test_a_user_who_leaves_between_the_two_reads_is_not_counted(site: Site) -> None:
    for number, way in enumerate((True, False), start=1):
        site.sql("UPDATE users SET name = 'Odd' WHERE id = %s", number)
        leave = f"SET session_replication_role = replica; DELETE FROM users WHERE id = {number}"
        result, _ = reconciled(site, whole_rows=way, act=partial(site.sql, leave))
        assert (result.read, result.equal) == (600 - number, IMPORTED - number)
        assert result.by_kind == {"orphan": number}
        assert result.adds_up()


def test_whoever_moved_is_left_to_auther(site: Site) -> None:
    site.sql("UPDATE migrator_identity SET home = 'auther' WHERE user_pk = '1'")
    site.sql("UPDATE migrator_identity SET origin = 'jit' WHERE user_pk = '2'")
    site.auther("UPDATE \"user\" SET name = 'Odd'")
    fast, slow = (reconciled(site, whole_rows=way) for way in (True, False))
    assert told(fast) == told(slow)
    assert fast[0].left_to_auther == 2
    assert fast[0].by_kind == {"user.name": IMPORTED - 2}
