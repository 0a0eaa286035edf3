"""Users of an application that changed its hashes over the years: counted, imported, signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.config.load import load
from migrator.core.clock import ManualClock
from migrator.core.progress import Progress
from migrator.runner.context import make_context
from migrator.runner.importing.proof import Answer
from phases import p0_preflight, p1_import
from tests.parts import require
from tests.parts.better_auth import start
from tests.phases.importing import NOW, PEPPER_ID, Site, make_site, oracle
from tests.schemes.test_vectors import CHEAP

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.schemes.vectors import Vector

PEPPER = "c0ffee5ca1ab1e0d" * 8
DECLARED = """
[[legacy.digests]]
scheme = "encryptable_sha512"
stretches = 20
[[legacy.digests]]
scheme = "restful_authentication_sha1"
stretches = 10
[[legacy.digests]]
scheme = "template"
algorithm = "md5"
template = "{md5 {password}}{salt}"
"""


def is_named(vector: Vector) -> bool:
    """Whether DECLARED speaks of it."""
    if vector.declared is None:
        return False
    recipe, scheme = vector.declared.recipe, vector.scheme
    named = {("encryptable_sha512", 20), ("restful_authentication_sha1", 10)}
    return (scheme, recipe.stretches) in named or recipe.template == "{md5 {password}}{salt}"


def chosen() -> list[Vector]:
    """One value of each scheme that knows its form or that DECLARED names."""
    possible = [v for v in CHEAP if "\0" not in v.password and v.pepper in ("", PEPPER)]
    return list({v.scheme: v for v in possible if v.declared is None or is_named(v)}.values())


def mixed_site(tmp_path: Path, dsn: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = make_site(tmp_path, dsn, monkeypatch, columns='salt = "password_salt"')
    monkeypatch.setenv("DEVISE_PEPPER", PEPPER)
    made.sql("ALTER TABLE users ADD COLUMN IF NOT EXISTS password_salt text")
    file = tmp_path / "migrator.toml"
    file.write_text(file.read_text().replace("[auther]\n", f"{DECLARED}[auther]\n", 1))
    ctx = make_context(load(file), root=tmp_path, clock=ManualClock(NOW), progress=Progress())
    return Site(ctx, tmp_path, dsn)


def test_each_of_them_signs_in_with_what_was_stored(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    require("node")
    site = mixed_site(tmp_path, devise_db, monkeypatch)
    vectors = chosen()
    rows = [row for row in oracle() if row["category"] == "plain"][: len(vectors)]
    assert len(rows) == len(vectors) > 12
    update = "UPDATE users SET encrypted_password = %s, password_salt = %s WHERE id = %s"
    for row, vector in zip(rows, vectors, strict=True):
        site.sql(update, vector.value, vector.salt, int(row["id"]))
    counted = p0_preflight.run(site.ctx).findings.census.schemes
    assert {vector.scheme for vector in vectors} <= {label.split(" ", 1)[0] for label in counted}
    p1_import.run(site.ctx)
    assert p1_import.verify(site.ctx).holds()
    canaries = tmp_path / "canaries.csv"
    lines = [f'{r["email"]},"{v.password}"' for r, v in zip(rows, vectors, strict=True)]
    canaries.write_text("\n".join(["email,password", *lines]) + "\n", encoding="utf-8")
    canaries.chmod(0o600)
    columns = {"email_column": "email", "password_column": "password"}
    proofs = p1_import.prove(site.ctx, canaries, **columns)
    assert [proof.answer for proof in proofs] == [Answer.SIGNS_IN] * len(vectors)
    with start(site.auther_db, peppers={PEPPER_ID: PEPPER}) as auther:
        for row, vector in zip(rows, vectors, strict=True):
            assert auther.sign_in(row["email"], vector.password + "x").status == 401
            assert auther.sign_in(row["email"], vector.password).status == 200, vector.scheme


def test_a_damaged_envelope_is_of_no_known_scheme(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = mixed_site(tmp_path, devise_db, monkeypatch)
    p1_import.run(site.ctx)
    row = next(row for row in oracle() if row["category"] == "plain")
    canaries = tmp_path / "canaries.csv"
    canaries.write_text(f'email,password\n{row["email"]},"{row["plaintext_password"]}"\n')
    canaries.chmod(0o600)
    columns = {"email_column": "email", "password_column": "password"}
    for damaged in ("migrator:v1:sha3:peppers=none:00", "migrator:v1:bcrypt", "garbage"):
        site.auther("UPDATE account SET password = ?", damaged)
        (proof,) = p1_import.prove(site.ctx, canaries, **columns)
        assert proof.answer is Answer.UNKNOWN_HASH
