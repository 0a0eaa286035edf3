"""What the import rejects, a person decides about, and the next run obeys."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from migrator.auther.interface import Note
from migrator.core.errors import ConflictError, UsageError
from migrator.core.users import RejectReason
from migrator.runner.importing.skeleton import write_private
from phases import p1_import
from tests.phases.importing import Site, make_site, rejects_of

if TYPE_CHECKING:
    from pathlib import Path

HASH = "$2a$04$" + "a" * 53
USERS = """
CREATE TABLE users (id bigint PRIMARY KEY, email text, encrypted_password text,
  created_at timestamp DEFAULT '2020-01-01', updated_at timestamp DEFAULT '2020-01-01',
  confirmed_at timestamp DEFAULT '2020-01-01');
INSERT INTO users (id, email, encrypted_password) VALUES
  (1, 'ada@x.org', '{hash}'), (2, 'Ada@x.org', '{hash}'), (3, 'Bob@x.org', '{hash}'),
  (4, 'BOB@x.org', '{hash}'), (5, '', '{hash}'), (6, 'md5@x.org', 'd41d8cd98f00b204e9800998ecf8427e'),
  (7, 'taken@x.org', '{hash}'), (8, 'far@x.org', '{hash}'), (9, 'plain@x.org', '{hash}');
UPDATE users SET created_at = 'infinity' WHERE id = 8;
"""
REJECTED = {
    "2": "email_collision",
    "3": "email_collision",
    "4": "email_collision",
    "5": "email_missing",
    "6": "unsupported_hash",
    "8": "timestamp_out_of_range",
}


@pytest.fixture
def site(tmp_path: Path, fresh_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    site = make_site(tmp_path, fresh_db, monkeypatch)
    for statement in USERS.format(hash=HASH).split(";")[:-1]:
        site.sql(statement)
    return site


def path(site: Site) -> Path:
    return site.root / ".migrator" / "resolutions.toml"


def decide(site: Site, **entries: str) -> None:
    """Write the file: `_2='reason action [rest]'`."""
    lines = []
    for key, entry in entries.items():
        reason, action, *rest = entry.split(" ", 2)
        lines += [f'[user."{key[1:]}"]', f'reason = "{reason}"', f'action = "{action}"', *rest]
    write_private(path(site), "\n".join(lines))


def emails(site: Site) -> dict[str, str]:
    """Address at Auther by legacy key."""
    ids = dict(site.sql("SELECT auther_id, user_pk FROM migrator_identity"))
    return {ids[i]: email for i, email in site.auther('SELECT id, email FROM "user"') if i in ids}


def test_the_skeleton_names_each_reject_once_and_the_filled_in_file_is_obeyed(
    site: Site,
) -> None:
    found = p1_import.resolve(site.ctx, write=False)
    assert {reject.pk: reject.reason for reject in found.rejects} == REJECTED
    assert not path(site).exists()
    p1_import.resolve(site.ctx, write=True)
    assert stat.S_IMODE(path(site).stat().st_mode) == 0o600
    text = path(site).read_text()
    assert "ada@x.org" not in text.lower()
    assert not p1_import.run(site.ctx).accepted, "comments decide nothing"

    decide(
        site,
        _2='email_collision email email = "ada.two@x.org"',
        _3="email_collision wins",
        _4="email_collision skip",
        _5='email_missing email email = "five@x.org"',
        _6="unsupported_hash without_password",
        _8="timestamp_out_of_range times",
    )
    outcome = p1_import.run(site.ctx)
    assert outcome.accepted
    assert (outcome.acknowledged, outcome.unmatched) == (1, ())
    assert outcome.counts.tally.rejected == {RejectReason.EMAIL_COLLISION: 1}
    assert outcome.counts.notes.notes[Note.HASH_LEFT_BEHIND] == 1
    assert emails(site) == {
        "1": "ada@x.org",
        "2": "ada.two@x.org",
        "3": "bob@x.org",
        "5": "five@x.org",
        "6": "md5@x.org",
        "7": "taken@x.org",
        "8": "far@x.org",
        "9": "plain@x.org",
    }
    assert p1_import.verify(site.ctx).holds()
    assert p1_import.run(site.ctx).accepted
    assert p1_import.resolve(site.ctx, write=True).rejects == ()
    assert p1_import.rollback(site.ctx).removed == 8
    assert site.sql("SELECT to_regclass('migrator_identity')") == [(None,)]


def test_nobody_is_given_an_address_that_another_user_has_in_any_spelling(site: Site) -> None:
    for address in ("plain@x.org", "bob@x.org"):
        decide(site, _5=f'email_missing email email = "{address}"')
        p1_import.run(site.ctx)
        assert "5" not in emails(site)
        assert emails(site)["9"] == "plain@x.org"
    found = p1_import.resolve(site.ctx, write=True)
    assert {r.pk: r.reason for r in found.rejects}["5"] == RejectReason.EMAIL_COLLISION
    assert 'user "5" is rejected all the same' in path(site).read_text()


def test_a_winner_gets_the_address_although_another_user_has_it_in_normal_form(site: Site) -> None:
    decide(site, _2="email_collision wins")
    p1_import.run(site.ctx)
    assert emails(site)["2"] == "ada@x.org"
    assert "1" not in emails(site)
    assert rejects_of(site)["1"] == "email_collision"


def test_a_link_writes_one_identity_row_and_nothing_at_auther(site: Site) -> None:
    p1_import.run(site.ctx)
    p1_import.rollback(site.ctx)
    site.auther(
        'INSERT INTO "user" (id, name, email, created_at, updated_at)'
        " VALUES ('theirs', 'T', 'taken@x.org', 1, 1)"
    )
    outcome = p1_import.run(site.ctx)
    assert outcome.counts.tally.rejected[RejectReason.TARGET_TAKEN] == 1
    link = 'target_taken link same_person = true\nauther_id = "{}"'
    decide(site, _7=link.format("nobody"))
    outcome = p1_import.run(site.ctx)
    assert outcome.counts.tally.rejected[RejectReason.RESOLUTION_IMPOSSIBLE] == 1
    decide(site, _7=link.format("theirs"))
    before = site.auther('SELECT * FROM "user" ORDER BY id')
    assert p1_import.plan(site.ctx).counts.tally.linked == 1
    assert p1_import.run(site.ctx).counts.tally.linked == 1
    assert site.auther('SELECT * FROM "user" ORDER BY id') == before
    row = "SELECT auther_id, home, origin FROM migrator_identity WHERE user_pk = '7'"
    assert site.sql(row) == [("theirs", "legacy", "link")]
    again = p1_import.run(site.ctx).counts.tally
    assert (again.linked, again.imported, again.already_there) == (0, 0, 3)
    result = p1_import.verify(site.ctx)
    assert (result.holds(), result.left_to_auther) == (True, 1)
    decide(site, _9='target_taken link same_person = true\nauther_id = "theirs"')
    with pytest.raises(ConflictError, match="changed too late for 2 users"):
        p1_import.run(site.ctx)
    p1_import.rollback(site.ctx)
    assert site.auther('SELECT id FROM "user"') == [("theirs",)]
    assert site.sql("SELECT to_regclass('migrator_identity')") == [(None,)]


def test_a_decision_that_comes_too_late_is_refused_and_nothing_is_changed(site: Site) -> None:
    decide(site, _2='email_collision email email = "two@x.org"')
    p1_import.run(site.ctx)
    before = site.content()
    for late in (
        {"_2": 'email_collision email email = "other@x.org"'},
        {},
        {"_2": 'email_collision email email = "two@x.org"', "_9": 'email_missing email email = "n@x.org"'},
    ):  # fmt: skip
        decide(site, **late)
        for work in (p1_import.plan, p1_import.run):
            with pytest.raises(ConflictError, match="changed too late for 1 users"):
                work(site.ctx)
    decide(site, _2="email_collision wins")
    with pytest.raises(ConflictError, match="user 2 shall win an address that user 1 has"):
        p1_import.run(site.ctx)
    assert site.content() == before
    # Whoever is not there yet can still be decided about, and what changes nothing does not matter.
    decide(
        site,
        _2='email_collision email email = "two@x.org"',
        _1="email_collision wins",
        _5='email_missing email email = "five@x.org"',
    )
    assert p1_import.run(site.ctx).counts.tally.imported == 1


def test_entries_that_fit_nobody_are_named(site: Site) -> None:
    decide(
        site,
        _77="email_missing skip",
        _9="email_missing skip",
        _1="unsupported_hash without_password",
        _4="email_missing skip",
    )
    outcome = p1_import.run(site.ctx)
    assert outcome.unmatched == (
        "line 1, user 77: there is no such user",
        "line 4, user 9: not rejected as email_missing",
        "line 7, user 1: not needed: nothing stands in this user's way",
        "line 10, user 4: not rejected as email_missing",
    )
    assert not outcome.accepted


def test_two_winners_of_one_address_are_refused_before_anything_is_written(site: Site) -> None:
    decide(site, _3="email_collision wins", _4="email_collision wins")
    with pytest.raises(UsageError, match=r"lines 1 and 4 .*: users 3 and 4 cannot both win"):
        p1_import.run(site.ctx)
    assert not site.auther_db.exists()


def test_addresses_that_look_alike_are_two_people_and_are_pointed_out(site: Site) -> None:
    site.sql("DELETE FROM users")
    composed, decomposed = "zo\u00eb@x.org", "zoe\u0308@x.org"
    for pk, email in enumerate([composed, decomposed, "bob@x.org", "\uff42ob@x.org", "ü@x.org"]):
        site.sql("INSERT INTO users (id, email) VALUES (%s, %s)", pk, email)
    outcome = p1_import.run(site.ctx)
    assert (outcome.counts.tally.imported, outcome.accepted) == (5, True)
    assert outcome.counts.notes.notes[Note.EMAIL_RESEMBLES] == 3
