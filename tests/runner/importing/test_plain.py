"""Users with nothing special about them get by the short way the very rows that `to_rows` gives."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrator.auther.interface import Mapped
from migrator.auther.mapping.map import to_rows
from migrator.auther.mapping.plain import PlainMapper
from migrator.auther.mapping.rules import Rules
from migrator.config.model import LegacySection
from migrator.core.ids import mark_key
from migrator.legacy.connect import open_database
from migrator.legacy.copytext import dump
from migrator.legacy.devise import DeviseSource, open_devise
from migrator.legacy.parted import PartedReader, places_left
from migrator.legacy.plain import pick, pick_read
from migrator.legacy.reading import COLUMNS, LineReader

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = b"k" * 40
TABLE = """
CREATE TABLE users (
  id {key} PRIMARY KEY, email text, encrypted_password text, password_salt text, name text,
  nick text, created_at timestamp, updated_at timestamptz, confirmed_at timestamp,
  locked_at timestamp, deleted_at timestamp, otp_required_for_login boolean, provider text,
  uid text, role text
);
CREATE TABLE links (user_id {key}, provider text, uid text)
"""
APART = frozenset({"a@x.org", "7"})
BCRYPT = "$2a$10$" + "N9qo8uLOickgx2ZMRZoMye" + "IjZAgcfl7p92ldGxad68LJZdL17lhWy"


def mostly(plain: st.SearchStrategy, *odd: object) -> st.SearchStrategy:
    """A value that is plain in most rows, so that whole rows are plain often enough."""
    return st.integers(0, 19).flatmap(lambda n: plain if n else st.sampled_from(odd))


text = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12)
times = st.datetimes().map(str)
nothing = st.none()
emails = st.from_regex(r"[a-z0-9_'+.-]{1,8}@[a-z0-9.-]{1,6}\.[a-z]{1,4}", fullmatch=True)
passwords = st.sampled_from([BCRYPT, BCRYPT.replace("$2a$10", "$2y$17")])
ODD_PASSWORDS = (
    None,
    "",
    BCRYPT[:-1],
    BCRYPT + "a",
    BCRYPT.replace("$10$", "$18$"),
    BCRYPT[:29] + "." * 31,
    "$2a$10$" + "\u00e9" * 53,
    "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo",
    "a" * 40,
)
ODD_EMAILS = (
    None,
    "",
    "A@x.org",
    " a@x.org",
    "a@x.org\n",
    "\u00fc@x.org",
    "a@x",
    "a..b@x.org",
    "a\\@x.org",
    "a@\u00ff.org",
)
FIELDS = {
    "email": mostly(emails, *ODD_EMAILS),
    "encrypted_password": mostly(passwords, *ODD_PASSWORDS),
    "password_salt": mostly(nothing, "", "salt"),
    "name": st.none() | text | st.sampled_from(["\\N", "a\tb", "\\.", "Żółw"]),
    "nick": mostly(nothing, "", "nick", "n\\"),
    "created_at": mostly(times, None, "infinity", "-infinity", "4713-01-01 BC"),
    "updated_at": mostly(times, None, "infinity", "294276-12-31"),
    "confirmed_at": st.none() | times | mostly(times, "infinity"),
    "locked_at": mostly(nothing, "2026-01-01", "infinity"),
    "deleted_at": mostly(nothing, "2026-01-01"),
    "otp_required_for_login": mostly(st.sampled_from([None, "f"]), "t"),
    "provider": mostly(nothing, "", "github"),
    "uid": mostly(nothing, "", "7"),
    "role": mostly(nothing, "", "admin"),
}  # fmt: skip
users = st.lists(st.fixed_dictionaries(FIELDS), max_size=12)
keys = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=12, max_size=12, unique=True)


def rules(**changes: object) -> Rules:
    wanted = {
        "namespace": "shop",
        "source": "User",
        "key": KEY,
        "mark": mark_key(KEY),
        "derived_ids": True,
        "verified_when": "confirmed",
        "unlock_in_ms": 3_600_000,
        "soft_deleted": "ban",
        "unsupported_hash": "without_credential",
        "now_ms": 1_795_400_000_000,
        "peppers": ("2024", "none"),
    }
    return Rules(**{**wanted, **changes})


@contextmanager
def opened(dsn: str) -> Iterator[tuple[DeviseSource, LineReader, PartedReader]]:
    settings_ = {
        "dsn": "env:UNUSED",
        "identities_table": "public.links",
        "columns": {"username": "nick"},
        "roles": {"column": "role"},
    }
    with (
        open_devise(dsn, LegacySection.model_validate(settings_)) as source,
        open_database(dsn) as connection,
    ):
        yield (
            source,
            LineReader(connection, source.queries),
            PartedReader(connection, source.queries, apart=APART),
        )


def fill(dsn: str, rows: list[dict[str, str | None]], pks: list[int], linked: set[int]) -> None:
    lines = [
        (str(pk), *[row[name] for name in FIELDS]) for pk, row in zip(pks, rows, strict=False)
    ]
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("TRUNCATE users, links")
        with connection.cursor() as cursor:
            with cursor.copy(f"COPY users (id, {', '.join(FIELDS)}) FROM STDIN") as copy:
                copy.write(dump(lines))
            with cursor.copy("COPY links FROM STDIN") as copy:
                copy.write(dump([(str(pks[i]), "github", str(i)) for i in sorted(linked)]))


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("bigint", {}),
        ("bigint", {"derived_ids": False, "verified_when": "always"}),
        ("text", {"derived_ids": False, "verified_when": "never", "peppers": ("none",)}),
    ],
)
def test_the_short_way_gives_the_same_rows(
    fresh_db: str, key: str, changes: dict[str, object]
) -> None:
    with psycopg.connect(fresh_db, autocommit=True) as connection:
        connection.execute(TABLE.format(key=key))
    mapper, seen = PlainMapper.under(rules(**changes)), {True: 0, False: 0}
    with opened(fresh_db) as (source, reader, parted):

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
        @given(users, keys, st.sets(st.integers(0, 11), max_size=2))
        def check(rows: list[dict[str, str | None]], pks: list[int], linked: set[int]) -> None:
            fill(fresh_db, rows, pks, linked)
            usual, plain_pks = [], set()
            for lines in reader.pages(rows=5):
                plain, others = pick(lines.users, apart=APART | lines.beside())
                page = source.page_of(lines).users
                usual += page
                plain_pks |= set(plain.pks)
                at = [place for place in range(len(page)) if place not in set(others)]
                slow = [to_rows(page[place], rules(**changes)) for place in at]
                assert mapper.rows(plain) == slow
                read = mapper.rows(pick_read(page, apart=frozenset()))
                by_pk = {user.pk: user for user in page}
                assert read == [to_rows(by_pk[row.pk], rules(**changes)) for row in read]
                assert set(plain.pks) <= {row.pk for row in read}
                seen[True] += len(at)
                seen[False] += len(others)
            found = []
            for each in parted.pages(rows=5):
                one_page = list(mapper.rows(each.plain))
                others_read = source.page_of(each.others).users
                for place, user in zip(each.places, others_read, strict=True):
                    one_page.insert(place, to_rows(user, rules(**changes)))
                plain_pks -= set(each.plain.pks)
                found += one_page
            assert found == [to_rows(user, rules(**changes)) for user in usual]
            assert not plain_pks, "columns leave out whom lines do not"

        check()
    assert all(seen.values()), seen


def test_it_is_the_usual_way_for_users_of_a_real_application(devise_db: str) -> None:
    settings_ = LegacySection.model_validate({"dsn": "env:UNUSED"})
    with (
        open_devise(devise_db, settings_) as source,
        open_database(devise_db) as connection,
    ):
        assert (COLUMNS, "all") in source.queries.texts
        lines = LineReader(connection, source.queries).page_after(None, rows=1000)
        plain, others = pick(lines.users, apart=lines.beside())
        made = [to_rows(user, rules()) for user in source.page_of(lines).users]
    assert len(plain.pks) + len(others) == len(made) == 600
    assert len(plain.pks) > 300
    mapper = PlainMapper.under(rules())
    by_pk = {row.pk: row for row in made if isinstance(row, Mapped)}
    assert mapper.rows(plain) == [by_pk[pk] for pk in plain.pks]


def test_users_who_went_before_their_lines_were_read_leave_no_gap() -> None:
    pks = ["1", "2", "3", "4", "5"]
    assert places_left([0, 2, 4], pks, {"1", "3", "5"}) == [0, 2, 4]
    assert places_left([0, 2, 4], pks, {"5"}) == [2]
    assert places_left([0, 2, 4], pks, set()) == []


def test_a_user_with_something_special_beside_the_line_is_left_out() -> None:
    line = rf"1	a@x.org	{BCRYPT}	Ada	\N	1	2	\N	\N	\N	f	\N	\N"
    assert pick([line], apart=frozenset())[0].pks == ["1"]
    assert pick([line], apart=frozenset({"1"}))[1] == [0]
    assert pick([line], apart=frozenset({"a@x.org"}))[1] == [0]
