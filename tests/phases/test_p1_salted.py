"""Passwords whose salt stands in a column of its own: recognised, imported, proven."""

from __future__ import annotations

import csv
from hashlib import sha1, sha512
from typing import TYPE_CHECKING

import pytest

from migrator.config.load import load
from migrator.core.clock import ManualClock
from migrator.core.progress import Progress
from migrator.runner.context import make_context
from migrator.runner.importing.proof import Answer
from phases import p1_import
from tests.phases.importing import NOW, PEPPER, Site, make_site, oracle

if TYPE_CHECKING:
    from pathlib import Path

DUMP = """
[[legacy.digests]]
scheme = "clearance_sha1"
[[legacy.digests]]
scheme = "template"
algorithm = "md5"
template = "{password}"
"""
WORD, SALT = "pÄss wörd", "5alt"


def declare(site: Site, digests: str) -> Site:
    """Give the same site with what its bare digests are."""
    file = site.root / "migrator.toml"
    file.write_text(file.read_text().replace("[auther]\n", f"{digests}[auther]\n"))
    clock, progress = ManualClock(NOW), Progress()
    ctx = make_context(load(file), root=site.root, clock=clock, progress=progress)
    return Site(ctx, site.root, site.dsn)


def prove(site: Site, rows: list[tuple[str, str]]) -> list[Answer]:
    file = site.root / "canaries.csv"
    with file.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows([("email", "password"), *rows])
    file.chmod(0o600)
    proofs = p1_import.prove(site.ctx, file, email_column="email", password_column="password")
    return [proof.answer for proof in proofs]


def test_old_digests_of_the_dump_sign_in_once_they_are_declared(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = declare(make_site(tmp_path, devise_db, monkeypatch), DUMP)
    assert "unsupported_hash" not in set(p1_import.run(site.ctx).counts.tally.rejected)
    users = [row for row in oracle() if row["category"] in {"legacy_sha1", "legacy_md5"}]
    assert len(users) == 15
    known = [(row["email"], row["plaintext_password"]) for row in users]
    assert prove(site, known) == [Answer.SIGNS_IN] * 15
    assert (
        prove(site, [(email, f"{word}x") for email, word in known]) == [Answer.WRONG_PASSWORD] * 15
    )
    assert p1_import.verify(site.ctx).holds()


def encryptable(password: str, salt: str) -> str:
    digest = PEPPER
    for _ in range(10):
        text = f"--{salt}--{digest}--{password}--{PEPPER}--"
        digest = sha1(text.encode()).hexdigest()
    return digest


def authlogic(password: str, salt: str) -> str:
    digest = password + salt
    for _ in range(20):
        digest = sha512(digest.encode()).hexdigest()
    return digest


@pytest.mark.parametrize(
    ("columns", "scheme", "stored"),
    [
        ("encrypted_password text, password_salt text",
         'scheme = "encryptable_sha1"\nstretches = 10', encryptable(WORD, SALT)),
        ("crypted_password text, password_salt text",
         'scheme = "authlogic_sha512"\nstretches = 20', authlogic(WORD, SALT)),
        ("encrypted_password text, salt text",
         'scheme = "clearance_sha1"', sha1(f"--{SALT}--{WORD}--".encode()).hexdigest()),
    ],
)  # fmt: skip
def test_each_librarys_columns_are_found_without_being_named(
    columns: str,
    scheme: str,
    stored: str,
    tmp_path: Path,
    fresh_db: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = make_site(tmp_path, fresh_db, monkeypatch, verified_when='"always"')
    site.sql(f"CREATE TABLE users (id bigint PRIMARY KEY, email text, {columns})")
    site.sql("INSERT INTO users VALUES (1, 'ada@example.org', %s, %s)", stored, SALT)
    site = declare(site, f"[[legacy.digests]]\n{scheme}\n")
    assert p1_import.run(site.ctx).counts.tally.imported == 1
    assert prove(site, [("ada@example.org", WORD), ("ada@example.org", "other")]) == [
        Answer.SIGNS_IN,
        Answer.WRONG_PASSWORD,
    ]
