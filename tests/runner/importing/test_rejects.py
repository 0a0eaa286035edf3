from __future__ import annotations

import json
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from migrator.core.errors import DependencyError
from migrator.core.users import Reject, RejectReason
from migrator.runner.importing.rejects import Rejects, open_rejects

if TYPE_CHECKING:
    from pathlib import Path

ADA = Reject("1", RejectReason.EMAIL_MISSING)
BOB = Reject("2", RejectReason.UNSUPPORTED_HASH, "40 characters\nthat no scheme claims")


def test_each_user_is_one_line_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rejects.jsonl"
    with open_rejects(path) as rejects:
        rejects.add(ADA)
        rejects.add(BOB)
    first, second = path.read_text().splitlines()
    assert json.loads(first) == {"id": "1", "reason": "email_missing", "detail": ""}
    assert json.loads(second)["detail"] == BOB.detail
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_interrupted_run_leaves_the_old_list(tmp_path: Path) -> None:
    path = tmp_path / "rejects.jsonl"
    with open_rejects(path) as rejects:
        rejects.add(ADA)
    with suppress(KeyboardInterrupt), open_rejects(path) as rejects:
        rejects.add(BOB)
        raise KeyboardInterrupt
    assert '"1"' in path.read_text()
    with open_rejects(path) as rejects:
        rejects.add(BOB)
    assert [json.loads(line)["id"] for line in path.read_text().splitlines()] == ["2"]


def test_the_digest_binds_ids_and_reasons() -> None:
    digests = set()
    for rejected in ([], [ADA], [BOB], [ADA, BOB], [Reject("1", RejectReason.TARGET_TAKEN)]):
        rejects = Rejects(None)
        for reject in rejected:
            rejects.add(reject)
        digests.add(rejects.digest())
    assert len(digests) == 5
    other_words = Rejects(None)
    other_words.add(Reject("1", RejectReason.EMAIL_MISSING, "said otherwise"))
    assert other_words.digest() in digests


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(DependencyError, match=r"rejects\.jsonl cannot be written"),
        open_rejects(tmp_path / "file" / "rejects.jsonl"),
    ):
        pass
