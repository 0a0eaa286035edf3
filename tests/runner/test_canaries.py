from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrator.core.errors import UsageError
from migrator.runner.canaries import Canary, read_canaries

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = "email,password\na@b.co,secret\n"


def written(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "canaries.csv"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no rows under a header"),
        (b"email,password\n", "no rows under a header"),
        (b"mail,pass\na@b.co,secret\n", "no rows under a header"),
        (b"email,password\na@b.co,s\xe9cret\n", "not CSV in UTF-8"),
    ],
)
def test_a_file_of_another_form_is_refused_and_not_quoted(
    tmp_path: Path, content: bytes, said: str
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        read_canaries(written(tmp_path, content))
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(UsageError, match="others may read it"):
        read_canaries(written(tmp_path, WHOLE.encode(), mode))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file"):
        read_canaries(tmp_path / "canaries.csv")


def test_passwords_are_taken_as_they_are(tmp_path: Path) -> None:
    text = '\ufeffremark,email,password\r\n"a,b",a@b.co," lead, ""quoted"" and trail "\r\n,c@d.co,пароль\r\n'
    assert read_canaries(written(tmp_path, text.encode())) == (
        Canary("a@b.co", ' lead, "quoted" and trail '),
        Canary("c@d.co", "пароль"),
    )


def test_a_password_shows_in_no_representation() -> None:
    assert "secret" not in repr(Canary("a@b.co", "secret"))
