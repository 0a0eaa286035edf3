"""The file in which a person decides: read strictly, written without losing a word."""

from __future__ import annotations

import stat
import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.core.errors import UsageError
from migrator.core.resolutions import Action
from migrator.core.users import Reject, RejectReason
from migrator.runner.importing.resolutions import parse, read_resolutions
from migrator.runner.importing.skeleton import OURS, merged, write_private

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
# decided by the support desk
[user."7"]
reason = "email_collision"
action = "email"
email = " New@Example.org "

[user.8]
reason = "target_taken"
action = "link"
auther_id = "abc"
same_person = true
"""


def test_entries_are_read_with_their_lines() -> None:
    found = parse(GOOD, name="r.toml")
    assert found["7"].actions == {Action.EMAIL}
    assert (found["7"].email, found["7"].line) == ("new@example.org", 2)
    assert (found["8"].auther_id, found["8"].line) == ("abc", 7)
    assert found["8"].reason is RejectReason.TARGET_TAKEN


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('action = "skip"', "line 1, user 5: reason has to be one of"),
        ('reason = "linked"\naction = "skip"', "reason has to be one of"),
        ('reason = "email_missing"', "action has to be one or several of"),
        ('reason = "email_missing"\naction = ""', "action has to be one or several of"),
        ('reason = "email_missing"\naction = []', "action has to be one or several of"),
        ('reason = "email_missing"\naction = "merge"', "action has to be one or several of"),
        ('reason = "email_missing"\naction = ["skip", "times"]', "skip stands alone"),
        ('reason = "email_missing"\naction = ["email", "wins"]\nemail = "a@b.cc"', "contradict"),
        ('reason = "email_missing"\naction = "email"', "goes with an address"),
        ('reason = "email_missing"\naction = "skip"\nemail = "a@b.cc"', "goes with an address"),
        ('reason = "email_missing"\naction = "email"\nemail = "zoë@b.cc"', "refuses this address"),
        ('reason = "email_missing"\naction = "email"\nemail = 5', "goes with an address"),
        ('reason = "target_taken"\naction = "link"', "goes with an id at Auther"),
        ('reason = "target_taken"\naction = "link"\nauther_id = "x"', "same_person = true"),
        ('reason = "email_missing"\nacton = "skip"', "acton is unknown"),
    ],
)
def test_a_bad_entry_is_named_with_its_line(entry: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse(f'[user."5"]\n{entry}\n', name="r.toml")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[user.5\nx", r"r\.toml: .*line 1"),
        ('[users."5"]', "users is unknown"),
        ("[user]\n5 = 6", r"r\.toml, user 5: an entry is a table"),
        (GOOD + '[user.9]\nreason = "email_missing"\naction = "email"\nemail = "new@example.org"',
         "line 12, user 9: the same address as in line 2, user 7"),
    ],
)  # fmt: skip
def test_a_file_that_says_nothing_clear_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse(text, name="r.toml")


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    assert read_resolutions(path) == {}
    write_private(path, GOOD)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(read_resolutions(path)) == {"7", "8"}
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert [r.line for r in read_resolutions(path).values()] == [2, 7]
    path.write_bytes(b"\xff")
    with pytest.raises(UsageError, match="cannot be read as UTF-8"):
        read_resolutions(path)
    path.chmod(0o640)
    with pytest.raises(UsageError, match="others may read it"):
        read_resolutions(path)


KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@given(
    st.lists(
        st.builds(Reject, KEYS, st.sampled_from(sorted(set(RejectReason) - {RejectReason.LINKED})),
                  st.text(max_size=30)),
        unique_by=lambda reject: reject.pk, max_size=5,
    )
)  # fmt: skip
def test_what_is_uncommented_and_filled_in_is_what_was_meant(rejects: list[Reject]) -> None:
    text = merged(GOOD, rejects, decided=())
    assert parse(text, name="r.toml").keys() == {"7", "8"}
    lines = [line.removeprefix(OURS) for line in text.split("\n") if line.startswith(OURS)]
    start = next((n for n, line in enumerate(lines) if line.startswith("[user.")), len(lines))
    filled = "\n".join(lines[start:]).replace('action = ""', 'action = "skip"')
    found = parse(filled, name="r.toml")
    assert {(pk, r.reason) for pk, r in found.items()} == {(r.pk, r.reason) for r in rejects}


def test_what_a_person_wrote_stays_and_what_we_wrote_is_written_anew() -> None:
    old = merged(GOOD, [Reject("1", RejectReason.EMAIL_MISSING)], decided=())
    again = [Reject("7", RejectReason.TARGET_TAKEN, "Auther has it")]
    new = merged(old, again, decided={"7", "8"})
    assert new.startswith(GOOD)
    assert '[user."1"]' not in new
    assert 'user "7" is rejected all the same: target_taken (Auther has it)' in new
    assert merged(new, again, decided={"7", "8"}) == new
    assert tomllib.loads(new) == tomllib.loads(GOOD)
