"""Ten thousand users with whatever a database can hold: each gets one outcome, and nothing crashes.

hypothesis makes pools of hostile values; rows are put together from them by a seed.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from migrator.core.users import RejectReason
from phases import p1_import
from tests.phases.importing import Site, make_site, rejects_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrator.core.users import Tally

SEED = 20261123
USERS = 10_000
BCRYPT = "$2a$04$" + "a" * 53
TABLE = """
CREATE TABLE users (id bigint PRIMARY KEY, email text, encrypted_password text, password_salt text,
  name text, username text, created_at timestamp, updated_at timestamptz, confirmed_at timestamp,
  locked_at timestamp, deleted_at timestamp, otp_required_for_login boolean, provider text, uid text,
  role text[])
"""
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
# Letters whose lower case is several, or not the same in every language; blanks of all kinds.
ODD = "\u0130\u0131\u00df\u017f\u00e9\u03a3\u03c2\ufb01\u2163\u00a0\u200b\u202e"
LETTERS = st.text(f"aAbB.+_-' \t\r\n\v\f@{ODD}", min_size=1, max_size=6)
EMAILS = st.one_of(
    st.none(),
    TEXTS,
    st.emails(),
    LETTERS,
    st.builds(lambda local, host: f"{local}@{host}.org", LETTERS, st.sampled_from("xXy\u00e9")),
)
HASHES = st.one_of(
    st.none(), TEXTS, st.sampled_from(["", BCRYPT, BCRYPT[:-1], BCRYPT + "\n", BCRYPT[:29] + "." * 31]),
    st.from_regex(r"\$2[abxy]\$(0[4-9]|1[0-2])\$[./A-Za-z0-9]{53}", fullmatch=True),
    st.from_regex(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{128}", fullmatch=True),
    st.from_regex(r"\$argon2id\$v=19\$m=[0-9]{1,9},t=[0-9],p=1\$[A-Za-z0-9+/]{0,22}\$[A-Za-z0-9+/]{0,43}",
                  fullmatch=True),
    st.from_regex(r"(pbkdf2|scrypt|migrator:v1|sha1)[:$][ -~]{0,60}", fullmatch=True),
)  # fmt: skip
TIMES = st.one_of(
    st.none(),
    st.sampled_from(["infinity", "-infinity", "4713-01-01 BC", "294276-12-31", "275760-09-13",
                     "1969-12-31 23:59:59.999999"]),
    st.datetimes().map(str),
)  # fmt: skip


def pool(strategy: st.SearchStrategy[Any], size: int) -> list[Any]:
    """Give what hypothesis thinks of, the same each time."""
    found: list[Any] = []

    @settings(
        max_examples=size,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def take(value: Any) -> None:
        found.append(value)

    take()
    return found


def rows(draw: random.Random) -> list[tuple[Any, ...]]:
    emails, hashes = pool(EMAILS, 800), pool(HASHES, 300)
    texts, times = [*pool(TEXTS, 300), "x" * 300_000, "\U0001f600" * 5_000], pool(TIMES, 100)
    often = [None, "2020-02-03 04:05:06"]

    def time() -> str | None:
        return draw.choice(times if draw.random() < 0.05 else often)

    def text() -> str | None:
        return draw.choice(texts) if draw.random() < 0.2 else None

    return [
        (
            draw.choice((pk, -pk)) if pk % 2 else pk * 10**9,
            f"user{pk}@x.org" if draw.random() < 0.6 else draw.choice(emails),
            draw.choice(hashes) if draw.random() < 0.4 else BCRYPT,
            text(),
            draw.choice(texts),
            draw.choice(texts)[:40] if draw.random() < 0.5 else f"name{pk % 500}",
            time(), time(), time(), time(), time(),
            draw.choice((None, False, False, True)),
            draw.choice((*[None] * 9, "", "github", "credential", "google_oauth2")),
            draw.choice(texts)[:50] if draw.random() < 0.5 else str(draw.randrange(5000)),
            draw.choice((None, None, [], ["editor", draw.choice(texts)[:30]])),
        )
        for pk in range(1, USERS + 1)
    ]  # fmt: skip


def load(dsn: str, users: list[tuple[Any, ...]]) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(TABLE.encode())
        with connection.cursor().copy("COPY users FROM STDIN") as copy:
            for user in users:
                copy.write_row(user)


@pytest.fixture
def site(tmp_path: Path, fresh_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    return make_site(
        tmp_path, fresh_db, monkeypatch, columns='username = "username"', page_rows="3000"
    )


@pytest.fixture
def sql_ascii_db(fresh_db: str) -> Iterator[str]:
    """The DSN of a database whose texts may be any bytes."""
    name = "sql_ascii"
    with psycopg.connect(fresh_db, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0".encode()
        )
        yield f"{fresh_db.rpartition('/')[0]}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def assert_one_outcome_each(site: Site) -> Tally:
    planned = p1_import.plan(site.ctx).counts.tally
    tally = p1_import.run(site.ctx).counts.tally
    assert tally == planned
    pks = {str(pk) for (pk,) in site.sql("SELECT id FROM users")}
    claims = site.sql("SELECT user_pk::bigint FROM migrator_identity")
    imported = {str(pk) for (pk,) in claims}
    rejected = rejects_of(site)
    assert tally.read == len(pks)
    assert len(imported) == tally.imported == site.auther('SELECT count(*) FROM "user"')[0][0]
    assert imported | set(rejected) == pks
    assert not imported & set(rejected)
    assert p1_import.verify(site.ctx).holds()
    return tally


def test_ten_thousand_hostile_users_have_one_outcome_each(site: Site) -> None:
    load(site.dsn, rows(random.Random(SEED)))
    tally = assert_one_outcome_each(site)
    assert set(tally.rejected) == {
        RejectReason.EMAIL_COLLISION,
        RejectReason.EMAIL_MISSING,
        RejectReason.UNSUPPORTED_HASH,
        RejectReason.TIMESTAMP_OUT_OF_RANGE,
        RejectReason.IDENTITY_TAKEN,
    }, "the rows are hostile enough"
    assert tally.imported > 2000, "and not only hostile"


def test_bytes_that_are_no_text_are_rejected_one_by_one(
    tmp_path: Path, sql_ascii_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = 'username = "username"'
    site = make_site(tmp_path, sql_ascii_db, monkeypatch, columns=columns)
    draw = random.Random(SEED)
    with psycopg.connect(site.dsn, autocommit=True) as connection:
        connection.execute(TABLE.encode())
        with connection.cursor().copy(
            "COPY users (id, email, encrypted_password, name, username, uid) FROM STDIN"
        ) as copy:
            for pk in range(200):
                fields = [_bytes(draw) for _ in range(5)]
                copy.write(b"\t".join([str(pk).encode(), *fields]) + b"\n")
    tally = assert_one_outcome_each(site)
    assert tally.rejected[RejectReason.TEXT_NOT_STORABLE] > 50


def _bytes(draw: random.Random) -> bytes:
    """Give a field of COPY: sometimes NULL, sometimes what UTF-8 calls a lone surrogate."""
    odd = [rb"\N", b"\xff\xfe", b"\xed\xa0\x80", b"\xc3", b"Z\xc3\xb6e@x.org", b"plain", b""]
    return draw.choice(
        [*odd, b"user%d@x.org" % draw.randrange(999), b"A%d@X.org" % draw.randrange(99)]
    )
