"""The whole of phase 1 over tables that nobody has seen before, through the operator's SELECT."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrator.config.load import load
from migrator.core.clock import ManualClock
from migrator.core.progress import Progress
from migrator.core.users import RejectReason
from migrator.runner.context import make_context
from migrator.runner.importing.proof import Answer
from phases import p0_preflight, p1_import
from tests.phases.importing import NOW, Site, make_site, oracle

if TYPE_CHECKING:
    from pathlib import Path

# The same people as in the dump, in tables of another application.
PEOPLE = """
CREATE SCHEMA crm;
CREATE TABLE crm.person AS SELECT id AS nr, email AS mail, encrypted_password AS secret,
  confirmed_at IS NOT NULL AS is_active, deleted_at IS NOT NULL AS is_gone FROM users;
CREATE TABLE crm.login AS SELECT user_id AS nr, provider, uid FROM identities;
DROP TABLE users CASCADE
"""
SOURCE = """
[legacy.query]
users = '''
SELECT p.nr AS id, p.mail AS email, p.secret AS password, p.is_active AS verified,
       p.is_gone AS deleted_at
FROM crm.person AS p -- everybody
'''
identities = "SELECT nr AS user_id, provider, uid FROM crm.login;"
"""


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = make_site(tmp_path, devise_db, monkeypatch)
    for statement in PEOPLE.split(";\n"):
        made.sql(statement)
    file = tmp_path / "migrator.toml"
    kind = '[legacy]\nkind = "sql"\nusers_table = "crm.person"\nsession_store = "none"\n'
    text = file.read_text().replace("[legacy]\n", kind).replace("columns = {  }\n", "")
    file.write_text(text.replace("[auther]\n", f"{SOURCE}[auther]\n"))
    ctx = make_context(load(file), root=tmp_path, clock=ManualClock(NOW), progress=Progress())
    return Site(ctx, tmp_path, devise_db)


def test_every_command_of_the_import_works_over_a_select(site: Site, tmp_path: Path) -> None:
    planned = p1_import.plan(site.ctx).counts.tally
    done = p1_import.run(site.ctx).counts.tally
    assert (done.read, done.imported) == (600, planned.imported)
    assert set(done.rejected) == {
        RejectReason.EMAIL_COLLISION,
        RejectReason.EMAIL_MISSING,
        RejectReason.UNSUPPORTED_HASH,
    }
    assert site.sql("SELECT count(*) FROM crm.migrator_identity") == [(done.imported,)]
    result = p1_import.verify(site.ctx)
    assert result.holds()
    assert len(site.auther("SELECT * FROM account WHERE provider_id = 'github'")) > 10
    user = next(row for row in oracle() if row["category"] == "plain")
    canaries = tmp_path / "canaries.csv"
    canaries.write_text(f'email,password\n{user["email"]},"{user["plaintext_password"]}"\n')
    canaries.chmod(0o600)
    (proof,) = p1_import.prove(
        site.ctx, canaries, email_column="email", password_column="password"
    )
    assert proof.answer is Answer.SIGNS_IN
    site.sql("DELETE FROM crm.person WHERE nr = 1")
    assert p1_import.verify(site.ctx).by_kind == {"orphan": 1}
    assert p1_import.rollback(site.ctx).removed == done.imported
    assert site.sql("SELECT to_regclass('crm.migrator_identity')") == [(None,)]


def test_preflight_says_what_it_cannot_see(site: Site) -> None:
    report = p0_preflight.run(site.ctx)
    assert report.verdict.ready, report.verdict.blockers
    assert "query_source" in {reason.code for reason in report.verdict.warnings}
    legacy = report.findings.legacy
    assert (legacy.states.users, legacy.table) == (600, "legacy.query.users")
    assert legacy.states.unconfirmed > 0
    assert legacy.states.soft_deleted > 0
    assert legacy.identities.by_provider["github"] > 10
    assert legacy.foreign_keys == legacy.odd_times == ()
