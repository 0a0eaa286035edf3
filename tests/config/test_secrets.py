from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrator.config.secrets import SecretRef
from migrator.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_secret_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_SECRET", "geheim")
    assert SecretRef.parse("env:SOME_SECRET").reveal(tmp_path) == "geheim"


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="env:NOT_THERE is empty or not set"):
        SecretRef.parse("env:NOT_THERE").reveal(tmp_path)


def test_a_file_must_be_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("geheim\n")
    path.chmod(0o644)
    reference = SecretRef.parse("file:key")
    with pytest.raises(UsageError) as refused:
        reference.reveal(tmp_path)
    assert refused.value.hint == "chmod 600 key"
    path.chmod(0o600)
    assert reference.reveal(tmp_path) == "geheim"


def test_a_reference_never_shows_the_secret() -> None:
    with pytest.raises(ValueError, match="never in the file itself") as refused:
        SecretRef.parse("geheim")
    assert "geheim" not in str(refused.value)
