"""The whole of phase 1 for users in a file, and what a file cannot do."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from migrator.config.load import load as load_config
from migrator.core.clock import ManualClock
from migrator.core.errors import ConflictError, DependencyError, UsageError
from migrator.core.progress import Progress
from migrator.legacy.file_user import TYPES
from migrator.legacy.query import COLUMNS
from migrator.runner.context import make_context
from migrator.runner.importing.load_file import Files, examine, load, unload
from migrator.runner.importing.proof import Answer
from phases import p0_preflight, p1_import
from tests.cli.command import migrator
from tests.parts.better_auth import BetterAuth
from tests.phases.importing import NOW, PEPPER, PEPPER_ID, Site, make_site, oracle
from tests.phases.syncing import loosen_brakes, sync

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Start = Callable[..., BetterAuth]

VECTORS = Path(__file__).parent.parent / "data" / "vectors" / "firebase.json"
HEAD = ("id", "email", "password", "name", "confirmed_at")
EXPORT = """
SELECT id, email, encrypted_password, name, confirmed_at FROM users
WHERE id <= 40 ORDER BY id
"""


def site_of(
    root: Path, dsn: str, monkeypatch: pytest.MonkeyPatch, legacy: str = "", **settings: str
) -> Site:
    make_site(root, dsn, monkeypatch, **settings)
    file = root / "migrator.toml"
    text = file.read_text().replace("columns = {  }\n", f'kind = "loaded"\n{legacy}\n')
    file.write_text(text)
    ctx = make_context(load_config(file), root=root, clock=ManualClock(NOW), progress=Progress())
    return Site(ctx, root, dsn)


def write_csv(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows])
    return path


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    return site_of(tmp_path, devise_db, monkeypatch)


def tables(site: Site) -> tuple[list[Any], list[Any]]:
    return (
        site.sql("SELECT * FROM migrator_loaded ORDER BY id"),
        site.sql("SELECT * FROM migrator_loaded_identities ORDER BY user_id, provider"),
    )


def test_every_command_of_the_import_works_over_a_file(site: Site) -> None:
    rows = site.sql(EXPORT)
    file = write_csv(site.root / "users.csv", rows)
    planned = examine(site.ctx, Files(file, "csv"))
    assert site.sql("SELECT to_regclass('migrator_loaded')") == [(None,)]
    assert load(site.ctx, Files(file, "csv")) == planned
    assert (planned.users, planned.columns, planned.integer_keys) == (
        40,
        tuple(sorted(HEAD)),
        True,
    )
    before = tables(site)
    assert load(site.ctx, Files(file, "csv")) == planned
    assert tables(site) == before

    report = p0_preflight.run(site.ctx)
    assert report.findings.legacy.table == "public.migrator_loaded"
    done = p1_import.run(site.ctx).counts.tally
    assert done.imported == p1_import.plan(site.ctx).counts.tally.already_there > 30
    assert p1_import.verify(site.ctx).holds()
    known = {int(row["id"]): row for row in oracle()}
    canaries = site.root / "canaries.csv"
    canaries.write_text(
        f'email,password\n{known[1]["email"]},"{known[1]["plaintext_password"]}"\n'
    )
    canaries.chmod(0o600)
    names = {"email_column": "email", "password_column": "password"}
    (proof,) = p1_import.prove(site.ctx, canaries, **names)
    assert proof.answer is Answer.SIGNS_IN

    assert p1_import.rollback(site.ctx).removed == done.imported
    assert unload(site.ctx)
    assert not unload(site.ctx)
    with pytest.raises(UsageError, match="no file was loaded yet"):
        p1_import.plan(site.ctx)


def test_the_sync_follows_the_next_export(site: Site, better_auth: Start) -> None:
    rows = site.sql(EXPORT)
    file = write_csv(site.root / "users.csv", rows)
    load(site.ctx, Files(file, "csv"))
    p1_import.run(site.ctx)
    known = {int(row["id"]): row for row in oracle()}
    # One password changed, one user gone.
    changed = [(*row[:2], rows[5][2], *row[3:]) if row[0] == 1 else row for row in rows[:-1]]
    load(site.ctx, Files(write_csv(file, changed), "csv"))
    assert sync(loosen_brakes(site), full=True).lag.rows == 0
    auther = better_auth(site.auther_db, peppers={PEPPER_ID: PEPPER})
    email, word = known[1]["email"], known[rows[5][0]]["plaintext_password"]
    assert auther.sign_in(email, known[1]["plaintext_password"]).status == 401
    assert auther.sign_in(email, word).status == 200


def test_a_faulty_file_leaves_what_was_loaded_before(site: Site) -> None:
    file = write_csv(site.root / "users.csv", [(1, "a@x.org", "h", "", ""), (2, "", "", "", "")])
    load(site.ctx, Files(file, "csv"))
    before = tables(site)
    faults = {
        "ids occur more than once: 1": [(1, "a", "", "", ""), (1, "b", "", "", "")],
        "line 3: has 1 fields": [(1, "a", "", "", ""), (2,)],
        "holds no users": [],
    }
    for message, rows in faults.items():
        with pytest.raises(UsageError, match=message):
            load(site.ctx, Files(write_csv(file, rows), "csv"))
        assert tables(site) == before
    file.write_text("id,email\n1,a@x.org\n")
    with pytest.raises(UsageError, match="no user has password"):
        examine(site.ctx, Files(file, "csv"))
    site.sql("CREATE ROLE loader_nobody LOGIN PASSWORD 'x'")
    try:
        assert not site.sql(
            "SELECT has_table_privilege('loader_nobody', 'migrator_loaded', 'SELECT')"
        )[0][0]
    finally:
        site.sql("DROP ROLE loader_nobody")


def test_the_applications_own_table_cannot_be_named(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = site_of(tmp_path, devise_db, monkeypatch, 'users_table = "public.users"')
    file = write_csv(tmp_path / "users.csv", [(1, "a@x.org", "h", "", "")])
    for act in (lambda: load(site.ctx, Files(file, "csv")), lambda: unload(site.ctx)):
        with pytest.raises(UsageError, match='kind = "loaded" reads migrator_loaded, not'):
            act()
    assert site.sql("SELECT count(*) FROM users") == [(600,)]
    other = make_site(tmp_path / "other", devise_db, monkeypatch)
    with pytest.raises(ConflictError, match=r'legacy\.kind is "devise"'):
        load(other.ctx, Files(file, "csv"))


FIREBASE = """
[[legacy.digests]]
scheme = "firebase_scrypt"
rounds = 8
mem_cost = 14
separator = "Bw=="
[[legacy.peppers]]
id = "signer"
value = "env:SIGNER"
"""


def firebase_user(number: int, vector: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "localId": f"Uid{number}",
        "email": f"f{number}@x.org",
        "emailVerified": True,
        "passwordHash": vector["value"],
        "salt": vector["salt"],
        "createdAt": "1700000000000",
        "providerUserInfo": [{"providerId": "google.com", "rawId": f"g{number}"}],
    }


def test_users_of_firebase_sign_in(
    tmp_path: Path, fresh_db: str, monkeypatch: pytest.MonkeyPatch, better_auth: Start
) -> None:
    declared = {"scheme": "firebase_scrypt", "rounds": 8, "mem_cost": 14, "separator": "Bw=="}
    vectors = [v for v in json.loads(VECTORS.read_text()) if v["declared"] == declared]
    vector = next(v for v in vectors if v.get("password"))
    same = [v for v in vectors if v["pepper"] == vector["pepper"] and v["password"]][:3]
    monkeypatch.setenv("SIGNER", vector["pepper"])
    site = site_of(tmp_path, fresh_db, monkeypatch, FIREBASE, ids='"legacy"')
    file = tmp_path / "users.json"
    file.write_text(json.dumps({"users": [firebase_user(n, v) for n, v in enumerate(same)]}))
    assert load(site.ctx, Files(file, "firebase")).identities == len(same)
    assert p1_import.run(site.ctx).counts.tally.imported == len(same)
    assert p1_import.verify(site.ctx).holds()
    peppers = {"signer": vector["pepper"], PEPPER_ID: PEPPER}
    auther = better_auth(site.auther_db, peppers=peppers)
    for number, one in enumerate(same):
        assert auther.sign_in(f"f{number}@x.org", one["password"] + "x").status == 401
        assert auther.sign_in(f"f{number}@x.org", one["password"]).status == 200
    linked = "SELECT user_id, account_id FROM account WHERE provider_id = 'google'"
    assert ("Uid0", "g0") in site.auther(linked)


def test_auth0_bcrypt_signs_in_and_the_command_line_says_what_it_did(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch, better_auth: Start
) -> None:
    site = site_of(tmp_path, devise_db, monkeypatch, ids='"legacy"')
    user = next(row for row in oracle() if row["category"] == "plain")
    query = "SELECT encrypted_password FROM users WHERE id = %s"
    ((stored,),) = site.sql(query, int(user["id"]))
    head = {"email_verified": True, "email": user["email"], "tenant": "shop"}
    (tmp_path / "hashes.jsonl").write_text(
        json.dumps({**head, "_id": {"$oid": "60425d"}, "passwordHash": stored})
        + "\n"
        + json.dumps({**head, "_id": {"$oid": "gone"}, "passwordHash": stored})
    )
    lines = [
        {**head, "user_id": "auth0|60425d", "name": "Ada"},
        {"user_id": "google-oauth2|7", "email": "g@x.org", "email_verified": True, "blocked": True,
         "identities": [{"provider": "google-oauth2", "user_id": "7", "isSocial": True}]},
    ]  # fmt: skip
    file = tmp_path / "users.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = ["import", "load", file.name, "--format", "auth0", "--hashes", "hashes.jsonl"]
    dry = migrator(tmp_path, *command, "--dry-run", env=dict(os.environ))
    assert dry.out.splitlines()[0] == (
        "2 users would be loaded, 1 sign-ins elsewhere; ids: texts"
    ), dry.err
    assert "1 hashes belong to nobody in the file" in dry.out
    done = migrator(tmp_path, *command, "--json", env=dict(os.environ))
    assert json.loads(done.out)["users"] == 2
    assert p1_import.run(site.ctx).counts.tally.imported == 2
    auther = better_auth(site.auther_db, peppers={PEPPER_ID: PEPPER})
    assert auther.sign_in(user["email"], user["plaintext_password"]).status == 200
    assert site.auther('SELECT id, banned FROM "user" ORDER BY id') == [
        ("auth0|60425d", 0),
        ("google-oauth2|7", 1),
    ]


def test_a_role_that_may_not_create_tables_is_told(site: Site) -> None:
    site.sql("CREATE ROLE loader_reader LOGIN PASSWORD 'x'")
    try:
        host = site.dsn.partition("@")[2]
        dsn = f"postgresql://loader_reader:x@{host}"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LEGACY_DATABASE_URL", dsn)
            file = write_csv(site.root / "users.csv", [(1, "a@x.org", "h", "", "")])
            with pytest.raises(DependencyError, match="permission denied"):
                load(site.ctx, Files(file, "csv"))
    finally:
        site.sql("DROP ROLE loader_reader")


def test_every_column_of_a_file_is_one_that_the_source_knows() -> None:
    assert all(kind in COLUMNS[name][1] for name, kind in TYPES.items())
    assert set(COLUMNS) == set(TYPES)
