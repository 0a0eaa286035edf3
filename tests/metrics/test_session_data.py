from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.metrics.ruby_marshal import MAX_BYTES, MarshalError, load
from migrator.metrics.session_data import Holds, content_of_row, warden_scope
from tests.parts import require

HERE = Path(__file__).parent
ROWS = json.loads((HERE / "sessions.json").read_text())
BY_NAME = {row["name"]: row["data"] for row in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_rows_that_ruby_wrote_are_told_apart(row: dict[str, str]) -> None:
    assert content_of_row(row["data"], scope=b"user").holds is Holds[row["holds"]]


def test_the_rows_are_what_ruby_writes_today() -> None:
    require("rails")
    made = subprocess.run(
        ["ruby", HERE / "make_sessions.rb"], capture_output=True, text=True, check=True
    )
    assert json.loads(made.stdout) == ROWS


def test_another_models_scope_turns_the_answer_around() -> None:
    assert content_of_row(BY_NAME["admin"], scope=b"admin_user").holds is Holds.USER
    assert content_of_row(BY_NAME["user"], scope=b"admin_user").holds is Holds.OTHER_USER


def test_a_session_that_was_never_written_to_holds_nobody() -> None:
    assert content_of_row(None, scope=b"user").holds is Holds.NOBODY


@pytest.mark.parametrize(
    "data", ["", "   \n", "not base64!", "AAAA", "{", "{}}", "BAg=", "[1]", "💥", '{"value": 3}']
)
def test_what_cannot_be_read_is_unknown_and_never_nobody(data: str) -> None:
    assert content_of_row(data, scope=b"user").holds is Holds.UNKNOWN


@pytest.mark.parametrize(
    ("model", "scope"),
    [("User", b"user"), ("AdminUser", b"admin_user"), ("Admin::SuperUser", b"admin_super_user")],
)
def test_the_scope_is_devises(model: str, scope: bytes) -> None:
    assert warden_scope(model) == scope


@given(st.data())
def test_one_spoilt_byte_gives_an_answer_or_unknown_and_never_an_error(
    data: st.DataObject,
) -> None:
    name = data.draw(st.sampled_from(["user_after_everything_else", "user_with_flash_and_zone"]))
    document = bytearray(base64.b64decode(BY_NAME[name]))
    document[data.draw(st.integers(0, len(document) - 1))] = data.draw(st.integers(0, 255))
    assert content_of_row(base64.b64encode(document).decode(), scope=b"user").holds in Holds


@given(st.binary(max_size=200))
def test_arbitrary_bytes_end_in_a_value_or_a_marshal_error(tail: bytes) -> None:
    try:
        load(b"\x04\x08" + tail)
    except MarshalError:
        return


@pytest.mark.parametrize(
    "bomb",
    [
        b"\x04\x08[\x04\xff\xff\xff\x7f",  # two thousand million elements
        b'\x04\x08"\x04\xff\xff\xff\x7f',
        b"\x04\x08[\xfa",  # minus one elements
        b"\x04\x08" + b"[\x06" * 100_000 + b"0",
        b"\x04\x08@\x06",  # a link to nothing
        b"\x04\x08;\x00",
        b"\x04\x07i\x00",  # another version
        b"\x04\x08" + b"0" * MAX_BYTES,
    ],
    ids=["long-array", "long-string", "negative", "deep", "link", "symlink", "version", "large"],
)
def test_a_hostile_document_is_refused_at_once(bomb: bytes) -> None:
    with pytest.raises(MarshalError):
        load(bomb)
