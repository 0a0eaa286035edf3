"""The commands of the import as a user types them."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from migrator.auther.plugin.files import files
from tests.cli.command import Ran, migrator, migrator_process
from tests.phases.importing import make_site, oracle

Command = Callable[..., Ran]


@pytest.fixture
def command(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`migrator import …` in a folder whose configuration points at the dump."""
    settings = {"identities": "public.identities", "page_rows": "500"}
    make_site(tmp_path, devise_db, monkeypatch, **settings)
    return lambda *arguments: migrator(tmp_path, "import", *arguments, env=dict(os.environ))


def test_from_the_plan_to_the_rollback(command: Command, tmp_path: Path) -> None:
    planned = command("plan")
    assert planned.code == 0, planned.err
    assert "would be imported" in planned.out
    assert not (tmp_path / "auther.db").exists()
    assert command("run", "--dry-run").out == planned.out

    ran = command("run")
    assert ran.code == 3, ran.err
    assert "35 rejects are listed in rejects.jsonl" in ran.out
    assert ran.out.rstrip().endswith("next: migrator import run --accept-rejects")
    accepted = command("run", "--accept-rejects")
    assert accepted.code == 0, accepted.err
    assert accepted.out.rstrip().endswith("next: migrator import verify")

    verified = command("verify")
    assert verified.code == 0, verified.err
    assert "every field agrees" in verified.out
    back = command("rollback", "--dry-run")
    assert (back.code, "to remove" in back.out) == (0, True)
    assert command("rollback").code == 0
    assert "nothing to roll back" in command("rollback").err


def test_programs_get_the_same_as_json(command: Command) -> None:
    ran = command("run", "--json")
    assert (ran.code, ran.json["read"], ran.json["imported"]) == (3, 600, 565)
    assert ran.json["rejected"]["unsupported_hash"] == 15
    assert command("verify", "--json").json["holds"] is True
    assert command("rollback", "--json").json["removed"] == 565


def test_a_wrong_choice_ends_with_the_right_exit_code(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "migrator.toml"
    good = file.read_text()
    assert command("verify").code == 2
    assert command("run", "--accept-rejects").code == 2
    assert command("run").code == 3
    file.write_text(good.replace('name = "shop"', 'name = "other"'))
    ran = command("run")
    assert (ran.code, "migration.name was 'shop'" in ran.err) == (5, True)
    file.write_text(good.replace("verified_when", "#"))
    assert command("run").code == 2
    file.write_text(good)
    monkeypatch.setenv("LEGACY_DATABASE_URL", "postgresql://me:hidden-word@127.0.0.1:1/app")
    ran = command("run")
    assert (ran.code, "hidden-word" in ran.err + ran.out) == (4, False)


def test_canaries_are_proven_without_showing_passwords(command: Command, tmp_path: Path) -> None:
    command("run")
    user = next(row for row in oracle() if row["category"] == "plus_addressed")
    file = tmp_path / "canaries.csv"
    with file.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows(
            [("mail", "word"), (user["email"], user["plaintext_password"])]
        )
    file.chmod(0o600)
    columns = ("--email-column", "mail", "--password-column", "word")
    proven = command("prove", str(file), *columns)
    assert proven.code == 0, proven.err
    assert "1 of 1 would sign in" in proven.out
    assert user["email"] not in proven.out
    shown = command("prove", str(file), *columns, "--show-emails", "--json").json
    assert shown == [
        {"email": user["email"], "answer": "signs in", "detail": "bcrypt, pepper 2024"}
    ]
    with file.open("a") as lines:
        lines.write(f"{user['email']},quite another word\n")
    wrong = command("prove", str(file), *columns)
    assert (wrong.code, "wrong password" in wrong.out) == (1, True)
    assert "quite another word" not in wrong.out + wrong.err
    file.chmod(0o644)
    assert command("prove", str(file), *columns).code == 2


def test_a_user_of_auther_stops_the_rollback_with_a_way_out(
    command: Command, tmp_path: Path
) -> None:
    command("run")
    with sqlite3.connect(tmp_path / "auther.db") as connection:
        connection.execute("UPDATE account SET password = 'other' WHERE rowid = 1")
    connection.close()
    refused = command("rollback")
    assert refused.code == 1
    assert "nothing was removed: 1 of the users have used Auther since" in refused.err
    assert "migrator import rollback --except-signed-in" in refused.err
    done = command("rollback", "--except-signed-in", "--json")
    assert (done.code, done.json["removed"], done.json["kept"]) == (0, 564, 1)


def test_the_plugin_is_written_as_it_is(tmp_path: Path) -> None:
    ran = migrator_process(tmp_path, "import", "plugin", "--out", "auther/plugins", "--json")
    assert ran.code == 0, ran.err
    written = json.loads(ran.out)["written"]
    assert {Path(name).name: (tmp_path / name).read_text() for name in written} == files()


def test_a_person_decides_in_a_file_and_the_next_run_obeys(
    command: Command, tmp_path: Path
) -> None:
    shown = command("resolve", "--dry-run")
    assert shown.code == 0, shown.err
    assert "35 rejects would be put into resolutions.toml" in shown.out
    file = tmp_path / ".migrator" / "resolutions.toml"
    assert not file.exists()
    written = command("resolve")
    assert "35 rejects are in resolutions.toml, 0 entries stay as they are" in written.out
    assert written.out.rstrip().endswith("edit resolutions.toml, then: migrator import run")
    undecided = file.read_text()
    file.write_text(undecided.replace("#? ", "").replace('action = ""', 'action = "skip"', 34))
    refused = command("run")
    assert (refused.code, "action has to be one or several of" in refused.err) == (2, True)
    assert "resolutions.toml, line " in refused.err
    text = undecided.replace("#? [", "[").replace("#? reason", "reason")
    file.write_text(text.replace('#? action = ""', 'action = "skip"'))
    ran = command("run", "--json")
    assert (ran.code, ran.json["rejects_accepted"], ran.json["acknowledged"]) == (0, True, 35)
    again = command("resolve", "--json").json
    assert (again["undecided"], again["decided"], again["unmatched"]) == (0, 35, [])
